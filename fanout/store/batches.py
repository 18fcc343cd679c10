"""Batches, their rows and who works on them, as the database knows them.

The tables say what people asked for and what came of it; which worker has which row is the durable
engine's business (`fanout.batch`). All methods may be called from any thread and by any process.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import Connection, RowMapping, delete, select, update

from fanout import __version__
from fanout.batches import (
    FORMAT,
    Batch,
    BatchState,
    NewBatch,
    Progress,
    Row,
    RowRecord,
    RowState,
)
from fanout.errors import InputError
from fanout.policies import Budget
from fanout.store import batch_progress, batch_rows
from fanout.store.batch_points import RowPoint, points
from fanout.store.batch_values import batch_columns, batch_of, budget_columns
from fanout.store.database import reading, writing
from fanout.store.handing_out import GOING, HandingOut
from fanout.store.rows import cleaned
from fanout.store.schema_batches import batches
from fanout.store.spend import forget_batch
from fanout.types import BatchId, FailureKind

GONE = "This batch is not there any more."
_RESUMED = frozenset((RowState.WAITING, RowState.QUEUED, RowState.RUNNING, RowState.STOPPED))
"""What a halted batch goes on with; a row at work may be about to be stopped."""


class Batches(HandingOut):
    """A StoreError says that the database can't be used now; nothing was half done then.

    InputError where a batch that is to be changed is not there to be seen.
    """

    def create(self, new: NewBatch, rows: Iterable[Row]) -> BatchId:
        """Keep a batch with its rows, in one transaction, paused: `resume` starts it."""
        made = _new_id()
        columns = batch_columns(new) | {
            "id": made,
            "state": BatchState.PAUSED.value,
            "format": FORMAT,
            "made_by": __version__,
            "created_at": time.time(),
        }
        if self._person is not None:
            columns["person"] = self._person
        with writing(self._engine) as connection:
            key = connection.execute(batches.insert().values(columns)).inserted_primary_key
            assert key is not None, "batches count up by themselves"
            batch_rows.put(connection, int(key[0]), iter(rows), 1)
        return made

    def add(self, batch: BatchId, rows: Iterable[Row]) -> int:
        """Append rows, renumbered to go on counting; how many. A finished batch goes on, one that
        was halted stays so."""
        with writing(self._engine) as connection:
            found = self._locked(connection, batch)
            first = batch_rows.last(connection, found["number"]) + 1
            added = batch_rows.put(connection, found["number"], iter(rows), first)
            self._goes_on(connection, found)
        return added

    def get(self, batch: str) -> Batch | None:
        """None if there is none of that id to be seen."""
        with reading(self._engine) as connection:
            found = connection.execute(select(batches).where(*self._own(batch))).mappings().first()
        return None if found is None else batch_of(found)

    def all(self, limit: int | None = 100) -> tuple[Batch, ...]:
        """Newest first; no limit: every one of them."""
        asked = select(batches).where(*self._seen()).order_by(batches.c.number.desc())
        with reading(self._engine) as connection:
            return tuple(map(batch_of, connection.execute(asked.limit(limit)).mappings()))

    def open(self) -> tuple[Batch, ...]:
        """Those that are running, oldest first; for workers."""
        asked = select(batches).where(*self._seen(), batches.c.state.in_(GOING))
        with reading(self._engine) as connection:
            found = connection.execute(asked.order_by(batches.c.number)).mappings()
            return tuple(map(batch_of, found))

    def pause(self, batch: BatchId, why: str = "") -> None:
        """No new row is taken from now on. `why` where nobody asked for it."""
        self._halt(batch, BatchState.PAUSED, GOING, why)

    def stop(self, batch: BatchId) -> None:
        """End the rows under way as well, wherever they are; the others stay waiting."""
        self._halt(batch, BatchState.STOPPED, (*GOING, BatchState.PAUSED.value), "")

    def resume(self, batch: BatchId) -> None:
        """Go on, or begin. Rows that were stopped are waiting again."""
        with writing(self._engine) as connection:
            found = self._locked(connection, batch)
            if found["state"] in GOING:
                return
            batch_rows.again(connection, found["number"], [RowState.STOPPED])
            if found["state"] == BatchState.FINISHED.value:
                self._goes_on(connection, found)
                return
            began = found["started_at"] or time.time()
            self._put(connection, found, **_running(), started_at=began)
            self._settle(connection, found["number"])

    def retry(self, batch: BatchId, states: Collection[RowState]) -> int:
        """Rows in those states are waiting again; how many. Branches that have answered are kept,
        since each goes on with its run.

        A finished batch goes on. So does one that was halted, but only where no other row would:
        nobody who asks for a few again has asked for all that wait.
        """
        with writing(self._engine) as connection:
            found = self._locked(connection, batch)
            others = batch_rows.any_of(connection, found["number"], _RESUMED - set(states))
            returned = batch_rows.again(connection, found["number"], states)
            self._goes_on(connection, found, halted=returned > 0 and not others)
        return returned

    def change(
        self,
        batch: BatchId,
        *,
        concurrency: int | None = None,
        rows_per_minute: int | None = None,
        budget: Budget | None = None,
        title: str | None = None,
    ) -> None:
        """Other settings from now on; None leaves one as it is, and 0 rows per minute has no
        limit."""
        other: dict[str, object] = {}
        if concurrency is not None:
            other["concurrency"] = max(1, concurrency)
        if rows_per_minute is not None:
            other["rows_per_minute"] = rows_per_minute or None
        if budget is not None:
            other |= budget_columns(budget)
        if title is not None:
            other["title"] = cleaned(title)
        with writing(self._engine) as connection:
            self._put(connection, self._locked(connection, batch), **other)

    def delete(self, batch: BatchId) -> None:
        """The batch and its rows' places in it; its runs stay in History. InputError while it is
        running."""
        with writing(self._engine) as connection:
            found = self._locked(connection, batch)
            if found["state"] in GOING:
                raise InputError("This batch is running. Stop it first; then it can be deleted.")
            connection.execute(delete(batches).where(batches.c.number == found["number"]))
            forget_batch(connection, batch)

    def progress(self, batch: BatchId) -> Progress:
        """Counted now."""
        self._check(batch)
        return batch_progress.progress(self._engine, batch)

    def rows(
        self,
        batch: BatchId,
        *,
        states: Collection[RowState] = (),
        search: str = "",
        order: str = "number",
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
        cause: FailureKind | None = None,
    ) -> tuple[RowRecord, ...]:
        """A page of rows; no states: all. `order`: number, finished_at, cost, wall, agreement.
        `cause`: only those that failed of it."""
        self._check(batch)
        asked = batch_rows.asked_for(batch, states, search, cause)
        return batch_rows.page(self._engine, asked, order, descending, offset, limit)

    def count(
        self,
        batch: BatchId,
        *,
        states: Collection[RowState] = (),
        search: str = "",
        cause: FailureKind | None = None,
    ) -> int:
        """How many rows `rows` would go through."""
        self._check(batch)
        return batch_rows.count(self._engine, batch_rows.asked_for(batch, states, search, cause))

    def held(self, batch: BatchId) -> int:
        """How many rows are held back for a trial; see `HELD`."""
        self._check(batch)
        return batch_rows.count(self._engine, batch_rows.held(batch))

    def release(self, batch: BatchId) -> int:
        """Rows that were held back are waiting; how many. A finished batch goes on."""
        with writing(self._engine) as connection:
            found = self._locked(connection, batch)
            released = batch_rows.release(connection, found["number"])
            self._goes_on(connection, found)
        return released

    def each(self, batch: BatchId) -> Iterator[RowRecord]:
        """Every row in order, read in portions, so that memory stays flat."""
        self._check(batch)
        return batch_rows.each(self._engine, batch)

    def points(self, batch: BatchId) -> Iterator[RowPoint]:
        """The same without texts, for figures over all of them: see `fanout.batch.results`."""
        self._check(batch)
        return points(self._engine, batch)

    def _halt(self, batch: BatchId, state: BatchState, before: Collection[str], why: str) -> None:
        with writing(self._engine) as connection:
            found = self._locked(connection, batch)
            if found["state"] not in before:
                return
            self._put(connection, found, state=state, why=cleaned(why))
            batch_rows.return_queued(connection, found["number"])

    def _goes_on(self, connection: Connection, found: RowMapping, *, halted: bool = False) -> None:
        """A finished batch that has rows to do again; a halted one only where `halted` says so.
        Either has changed: nobody looks at its rows all the time."""
        if found["state"] in GOING:
            return
        other: dict[str, object] = {}
        finished = found["state"] == BatchState.FINISHED.value
        if batch_rows.left(connection, found["number"]) if finished else halted:
            other = _running() | {"finished_at": None}
        self._put(connection, found, **other)

    def _put(self, connection: Connection, found: RowMapping, **other: object) -> None:
        connection.execute(
            update(batches)
            .where(batches.c.number == found["number"])
            .values(**other, changed=batches.c.changed + 1)
        )

    def _locked(self, connection: Connection, batch: str) -> RowMapping:
        """For who changes the batch itself: nobody takes or ends a row of it meanwhile."""
        asked = select(batches).where(*self._own(batch)).with_for_update()
        found = connection.execute(asked).mappings().first()
        if found is None:
            raise InputError(GONE)
        return found

    def _check(self, batch: str) -> None:
        if self._person is not None and self.get(batch) is None:
            raise InputError(GONE)


def _running() -> dict[str, object]:
    """From now on; what was done before says nothing about how fast it goes."""
    return {"state": BatchState.RUNNING, "why": "", "running_since": time.time()}


def _new_id() -> BatchId:
    """Not to be guessed, and no option of a command line by its first character."""
    while not (made := secrets.token_urlsafe(9))[0].isalnum():
        pass
    return BatchId(made)
