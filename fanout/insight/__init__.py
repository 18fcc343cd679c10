"""Measures and estimates, computed from snapshots and plans."""
