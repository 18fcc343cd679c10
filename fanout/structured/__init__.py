"""Answers that a program can read too: how they are asked for, and how they are read."""
