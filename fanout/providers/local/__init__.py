"""A real model on this machine: weights, the process that runs them, and the provider in front."""
