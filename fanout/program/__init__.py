"""Fanout from a program of your own; what is meant for it is exported by `fanout` itself."""
