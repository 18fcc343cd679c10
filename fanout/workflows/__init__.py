"""Workflows as data, their plans as pure functions, their runs as short coroutines."""
