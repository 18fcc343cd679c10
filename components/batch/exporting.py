"""The menu "Export" of a batch."""

from __future__ import annotations

from fanout.batches import Batch
from fanout.engine.runtime import Runtime


def export_batch_menu(runtime: Runtime, batch: Batch) -> None:
    """Draw it."""
