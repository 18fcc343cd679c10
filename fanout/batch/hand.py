"""A row that this process has in hand: its batch, its run, and who is woken by news of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fanout.batch.bell import Bell
from fanout.batches import Batch
from fanout.engine.handle import RunHandle
from fanout.types import BatchId, BranchId


class Key(NamedTuple):
    """One go of one row."""

    batch: BatchId
    number: int
    go: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A row of this process."""

    batch: Batch
    handle: RunHandle
    bell: Bell
    begun: int
    """Events that there were when it was taken in hand."""


def kept(hand: Hand, branch: BranchId | None = None) -> bool:
    """Whether the end of that call, or of the whole run, is in the record."""
    ended = branch is not None and hand.handle.has_kept(branch)
    return ended or hand.handle.has_kept()
