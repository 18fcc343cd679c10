"""Waits for what another process does."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep


def until(holds: Callable[[], bool], timeout_s: float = 30.0, what: str = "it") -> float:
    """Block until that holds; how long it took, in seconds."""
    began = monotonic()
    while not holds():
        assert monotonic() - began < timeout_s, f"{what} did not come to that"
        sleep(0.02)
    return monotonic() - began
