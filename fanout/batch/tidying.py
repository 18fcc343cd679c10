"""Keeps the durable engine's tables small: nothing stays of a batch that is at rest.

A process can end before it has cleared what it leaves, so whoever comes next looks for it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from fanout.batch.takeover import in_hand
from fanout.batches import Batch, BatchState
from fanout.store.store import Store
from fanout.types import BatchId

if TYPE_CHECKING:
    from fanout.batch.durable import Durable

AGAIN_S = 0.05


class Tidying:
    """Of one worker; used on its thread."""

    def __init__(self, store: Store, durable: Durable) -> None:
        self._store = store
        self._durable = durable
        self._resting = set(durable.queues())
        """Batches of which something may be left, whoever carried them out."""

    def rests(self, batch: BatchId) -> None:
        """This process has nothing of it in hand any more."""
        self._resting.add(batch)

    def turn(self, tended: Iterable[Batch]) -> bool:
        """Clear a portion of each batch that nobody tends; whether anything may be left."""
        self._resting -= {batch.id for batch in tended}
        for batch in sorted(self._resting):
            if self._cleared(batch):
                self._resting.discard(batch)
        return bool(self._resting)

    def finish(self, at_most_s: float) -> None:
        """Clear what can be cleared in that time, before this process ends."""
        until = time.monotonic() + at_most_s
        while self.turn(self._store.batches.tended()) and time.monotonic() < until:
            time.sleep(AGAIN_S)

    def withdraw(self, batch: BatchId, gone: Collection[str] = ()) -> None:
        """Take out of its queue what isn't a row's turn any more, as after a pause: it would only
        use up the places, and the rows per minute, of those whose turn it is.

        Also what workers had in hand that are `gone`.
        """
        known = self._durable.open(batch)
        # Asked in this order, a row that is just being handed over is never taken out.
        stale = known.keys() - in_hand(self._store, batch)
        self._durable.forget(k for k in stale if known[k].queued or known[k].executor in gone)

    def _cleared(self, batch: BatchId) -> bool:
        known = {one.executor for one in self._durable.open(batch).values()}
        alive = {one.id for one in self._store.batches.workers() if one.alive}
        self.withdraw(batch, known - alive - {self._store.owner})
        if self._durable.clear(batch) or self._durable.open(batch):
            return False
        going = self._store.batches.states([batch]).get(batch) is BatchState.RUNNING
        if not going:
            self._durable.drop(batch)
        return True
