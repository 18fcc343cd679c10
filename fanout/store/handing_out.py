"""What workers do with batches: take rows, begin and end each of them once, and say that they live.

Rows are handed out under the batch's own lock, so that a pause, a stop or a deletion either comes
before or is seen by whoever takes them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, exists, select, update

from fanout.batches import Batch, BatchState, RowRecord, RowResult, RowState, WorkerSeen
from fanout.people import PersonId
from fanout.store import batch_rows, workers
from fanout.store.batch_values import batch_of
from fanout.store.database import reading, writing
from fanout.store.rows import short
from fanout.store.schema_batches import batch_rows as rows
from fanout.store.schema_batches import batches
from fanout.types import BatchId, RunId

GOING = (BatchState.RUNNING.value,)
"""The one state in which rows are handed out."""


class HandingOut:
    """The part of `Batches` that workers use; StoreError as there."""

    def __init__(
        self, engine: Engine, person: PersonId | None = None, alive: workers.Alive | None = None
    ) -> None:
        """`person` narrows it to what one person may see; None: everything. `alive` knows for
        certain whether a process is there; without it, only heartbeats say so."""
        self._engine = engine
        self._person = person
        self._alive = alive

    def take(self, batch: BatchId, most: int) -> tuple[RowRecord, ...]:
        """Mark up to so many waiting rows as queued, each with its next `go`; never the same row
        for two processes. None where the batch isn't running."""
        with writing(self._engine) as connection:
            found = self._shared(connection, batch)
            if found is None or found["state"] not in GOING:
                return ()
            return batch_rows.take(connection, found["number"], most)

    def goes(self, batch: BatchId, states: Collection[RowState]) -> tuple[tuple[int, int], ...]:
        """Number and go of every row in those states; for those of which there are few."""
        return batch_rows.goes(self._engine, batch, states)

    def begin(
        self, batch: BatchId, number: int, go: int, run_id: RunId, worker: str
    ) -> RunId | None:
        """A worker has the row; the run it is to go on with: the one of an earlier go, or
        `run_id`. None where this go is over: the row was given back, a later go has it, or its
        batch was stopped or deleted."""
        begun = self.begun(batch, number, go, run_id, worker)
        return None if begun is None else begun.run_id

    def begun(
        self,
        batch: BatchId,
        number: int,
        go: int,
        run_id: RunId,
        worker: str,
        *,
        anew: bool = False,
    ) -> RowRecord | None:
        """The same, with all that is known of the row. `anew`: its earlier run was deleted, so
        that it gets `run_id` in any case."""
        with writing(self._engine) as connection:
            found = self._shared(connection, batch)
            if found is None:
                return None
            if found["state"] == BatchState.STOPPED.value:
                batch_rows.give_back(connection, found["number"], [number], go)
                return None
            return batch_rows.begin(connection, found["number"], number, go, run_id, worker, anew)

    def give_back(self, batch: BatchId, numbers: Sequence[int], go: int | None = None) -> None:
        """Queued or running rows are waiting again, as when their batch was paused. With a `go`,
        only where no later one has them."""
        with writing(self._engine) as connection:
            found = self._shared(connection, batch)
            if found is not None:
                batch_rows.give_back(connection, found["number"], numbers, go)

    def end(
        self, batch: BatchId, number: int, go: int, result: RowResult, *, halted: bool = False
    ) -> bool:
        """What became of a row; False where a later go has it. Finishes the batch with its last
        row. `halted`: it was stopped because its batch was, so that it is waiting again where the
        batch goes on by now."""
        with writing(self._engine) as connection:
            if halted:
                going = self._shared(connection, batch)
                if going is not None and going["state"] in GOING:
                    batch_rows.give_back(connection, going["number"], [number], go)
                    return False
            asked = select(batches.c.number).where(*self._own(batch))
            found = connection.execute(asked).scalar()
            if found is None:
                return False
            ended = batch_rows.end(connection, found, number, go, result)
            self._settle(connection, found)
        return ended

    def settle(self, batch: BatchId) -> None:
        """Finish it where no row is left: two last rows that ended at once don't see each other."""
        with writing(self._engine) as connection:
            asked = select(batches.c.number).where(*self._own(batch))
            found = connection.execute(asked).scalar()
            if found is not None:
                self._settle(connection, found)

    def tended(self) -> tuple[Batch, ...]:
        """What workers look after, oldest first: batches that are running, and others of which rows
        are under way."""
        under_way = exists().where(
            rows.c.batch == batches.c.number, rows.c.state == RowState.RUNNING.value
        )
        halted = batches.c.state.in_([BatchState.PAUSED.value, BatchState.STOPPED.value])
        looked_after = batches.c.state.in_(GOING) | (halted & under_way)
        asked = select(batches).where(*self._seen(), looked_after)
        with reading(self._engine) as connection:
            found = connection.execute(asked.order_by(batches.c.number)).mappings()
            return tuple(map(batch_of, found))

    def handed_out(self, batch: BatchId) -> dict[tuple[RowState, str], int]:
        """How many rows are queued or running, by state and worker."""
        return batch_rows.handed_out(self._engine, batch)

    def states(self, batches_asked: Collection[BatchId]) -> dict[BatchId, BatchState]:
        """What workers look at every second."""
        ids = [short(batch, 64) for batch in batches_asked]
        asked = select(batches.c.id, batches.c.state).where(*self._seen(), batches.c.id.in_(ids))
        with reading(self._engine) as connection:
            return {BatchId(batch): BatchState(state) for batch, state in connection.execute(asked)}

    def beat(self, worker: WorkerSeen) -> None:
        """A worker lives; called every few seconds."""
        workers.beat(self._engine, worker)

    def leave(self, worker: str) -> None:
        """A worker takes no rows any more, although its process may live on."""
        workers.leave(self._engine, worker)

    def workers(self) -> tuple[WorkerSeen, ...]:
        """Those that live, and those that went within the last hour; newest first."""
        return workers.seen(self._engine, self._alive)

    def _settle(self, connection: Connection, number: int) -> None:
        if batch_rows.left(connection, number):
            return
        own = select(batches.c.number).where(batches.c.number == number)
        connection.execute(own.with_for_update())
        # Looked at once more, now that nobody can add rows meanwhile.
        if batch_rows.left(connection, number):
            return
        going = (BatchState.RUNNING.value, BatchState.PAUSED.value)
        connection.execute(
            update(batches)
            .where(batches.c.number == number, batches.c.state.in_(going))
            .values(
                state=BatchState.FINISHED.value,
                why="",
                finished_at=time.time(),
                changed=batches.c.changed + 1,
            )
        )

    def _shared(self, connection: Connection, batch: str) -> RowMapping | None:
        """For who does something about its rows: it stays as it is meanwhile."""
        asked = select(batches.c.number, batches.c.state).where(*self._own(batch))
        found = connection.execute(asked.with_for_update(read=True)).mappings()
        return found.first()

    def _own(self, batch: str) -> list[ColumnElement[bool]]:
        return [batches.c.id == short(batch, 64), *self._seen()]

    def _seen(self) -> list[ColumnElement[bool]]:
        return [] if self._person is None else [batches.c.person == self._person]
