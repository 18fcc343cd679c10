"""A new batch."""

from __future__ import annotations

from fanout.engine.runtime import Runtime


def new_batch(runtime: Runtime) -> None:
    """Draw it."""
