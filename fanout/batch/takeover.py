"""What one worker takes over: rows of workers that are gone, and rows that got lost in between.

Who is gone is read from the record at every look, since a process that was silent for a while can
be heard of again, and then really go. What no look sees is found by the sweep, which compares the
rows in hand with the durable workflows; both that and what it does need the same answer twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fanout.batch.desk import Desk
from fanout.batch.hand import Key
from fanout.batches import Batch, RowState
from fanout.store.store import Store
from fanout.types import BatchId

if TYPE_CHECKING:
    from fanout.batch.durable import Durable, Open

_IN_HAND = (RowState.QUEUED, RowState.RUNNING)


class Takeover:
    """Of one worker; used on its thread."""

    def __init__(self, store: Store, desk: Desk, durable: Durable) -> None:
        """Takes over at once what those had in hand that are gone by now."""
        self._store = store
        self._desk = desk
        self._durable = durable
        self._recovered: set[str] = set()
        self._suspects: set[Key] = set()
        self._recover(durable.executors())

    def look(self, mine: Iterable[Batch]) -> None:
        """Take over what workers had in hand that are gone."""
        batches, mine = self._store.batches, tuple(mine)
        known = {one.id for one in batches.workers()}
        for batch in mine:
            known |= {worker for _, worker in batches.handed_out(batch.id) if worker}
        if self._recover(known):
            for batch in mine:
                queued = in_hand(self._store, batch.id, RowState.QUEUED)
                self._durable.hand_over(sorted(queued - self._durable.open(batch.id).keys()))

    def sweep(self, mine: Iterable[Batch]) -> None:
        """Give back rows that no durable workflow is about, as after a database was put back, and
        forget workflows that nobody carries out any more: they would keep others waiting."""
        others = self._alive() - {self._store.owner}
        lost: set[Key] = set()
        for batch in mine:
            rows = in_hand(self._store, batch.id)
            known = self._durable.open(batch.id)
            going = {key for key, one in known.items() if self._goes_on(one, others)}
            lost |= (rows | known.keys()) - going
        lost -= self._desk.keys
        for key in sorted(lost & self._suspects):
            self._durable.forget([key])
            self._store.batches.give_back(key.batch, [key.number], key.go)
        self._suspects = lost

    def _goes_on(self, one: Open, others: set[str]) -> bool:
        """Whether a workflow that isn't in hand here will be carried out, or is elsewhere."""
        if one.queued and one.current:
            return True
        # Of another version it is taken, and taken over, only by workers of that version.
        return one.executor in others

    def _recover(self, known: set[str]) -> bool:
        alive = self._alive()
        self._recovered -= alive
        # A worker that isn't in the list any more may still have its process.
        gone = known - alive - self._recovered - {self._store.owner}
        if gone:
            self._durable.recover(gone)
            self._recovered |= gone
        return bool(gone)

    def _alive(self) -> set[str]:
        return {one.id for one in self._store.batches.workers() if one.alive}


def in_hand(store: Store, batch: BatchId, *states: RowState) -> set[Key]:
    """The goes of rows that were handed out and haven't ended; of all states without one."""
    found = store.batches.goes(batch, states or _IN_HAND)
    return {Key(batch, number, go) for number, go in found}
