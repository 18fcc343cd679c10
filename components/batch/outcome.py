"""What came out of a batch: charts over its rows, each with its numbers."""

from __future__ import annotations

from fanout.batches import Batch
from fanout.engine.runtime import Runtime


def outcome(runtime: Runtime, batch: Batch) -> None:
    """Draw it."""
