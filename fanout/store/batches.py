"""Batches, their rows and who works on them, as the database knows them.

The tables say what people asked for and what came of it; which worker has which row is the durable
engine's business (`fanout.batch`). All methods may be called from any thread and by any process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Engine

from fanout.batches import (
    Batch,
    BatchState,
    NewBatch,
    Progress,
    Row,
    RowRecord,
    RowResult,
    RowState,
    WorkerSeen,
)
from fanout.people import PersonId
from fanout.policies import Budget
from fanout.types import BatchId, RunId


class Batches:
    """A StoreError says that the database can't be used now; nothing was half done then."""

    def __init__(self, engine: Engine, person: PersonId | None = None) -> None:
        """`person` narrows it to what one person may see; None: everything."""
        self._engine = engine
        self._person = person

    def create(self, new: NewBatch, rows: Iterable[Row]) -> BatchId:
        """Keep a batch with its rows, in one transaction, paused: `resume` starts it."""
        raise NotImplementedError

    def add(self, batch: BatchId, rows: Iterable[Row]) -> int:
        """Append rows, renumbered to go on counting; how many. A finished batch goes on."""
        raise NotImplementedError

    def get(self, batch: str) -> Batch | None:
        """None if there is none of that id to be seen."""
        raise NotImplementedError

    def all(self, limit: int = 100) -> tuple[Batch, ...]:
        """Newest first."""
        raise NotImplementedError

    def open(self) -> tuple[Batch, ...]:
        """Those that are running, oldest first; for workers."""
        raise NotImplementedError

    def pause(self, batch: BatchId, why: str = "") -> None:
        """No new row is taken from now on. `why` where nobody asked for it."""
        raise NotImplementedError

    def resume(self, batch: BatchId) -> None:
        """Go on, or begin. Rows that were stopped are waiting again."""
        raise NotImplementedError

    def stop(self, batch: BatchId) -> None:
        """End the rows under way as well, wherever they are; the others stay waiting."""
        raise NotImplementedError

    def retry(self, batch: BatchId, states: Collection[RowState]) -> int:
        """Rows in those states are waiting again; how many. Branches that have answered are kept,
        since each goes on with its run."""
        raise NotImplementedError

    def change(
        self,
        batch: BatchId,
        *,
        concurrency: int | None = None,
        rows_per_minute: int | None = None,
        budget: Budget | None = None,
        title: str | None = None,
    ) -> None:
        """Other settings from now on; None leaves one as it is."""
        raise NotImplementedError

    def delete(self, batch: BatchId) -> None:
        """The batch and its rows' places in it; its runs stay in History. InputError while it is
        running."""
        raise NotImplementedError

    def progress(self, batch: BatchId) -> Progress:
        """Counted now."""
        raise NotImplementedError

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
    ) -> tuple[RowRecord, ...]:
        """A page of rows; no states: all. `order`: number, finished_at, cost, wall, agreement."""
        raise NotImplementedError

    def count(self, batch: BatchId, *, states: Collection[RowState] = (), search: str = "") -> int:
        """How many rows `rows` would go through."""
        raise NotImplementedError

    def each(self, batch: BatchId) -> Iterator[RowRecord]:
        """Every row in order, read in portions, so that memory stays flat."""
        raise NotImplementedError

    def take(self, batch: BatchId, most: int) -> tuple[RowRecord, ...]:
        """Mark up to so many waiting rows as queued, each with its next `go`; never the same row
        for two processes."""
        raise NotImplementedError

    def queued(self, batch: BatchId) -> tuple[RowRecord, ...]:
        """Rows that were handed to the queue and haven't begun: handing them over again is
        harmless."""
        raise NotImplementedError

    def begin(self, batch: BatchId, number: int, go: int, run_id: RunId, worker: str) -> RunId:
        """A worker has the row; the run it is to go on with: the one of an earlier go, or
        `run_id`."""
        raise NotImplementedError

    def give_back(self, batch: BatchId, numbers: Sequence[int]) -> None:
        """Queued or running rows are waiting again, as when their batch was paused."""
        raise NotImplementedError

    def end(self, batch: BatchId, number: int, go: int, result: RowResult) -> bool:
        """What became of a row; False where a later go has it. Finishes the batch with its last
        row."""
        raise NotImplementedError

    def states(self, batches: Collection[BatchId]) -> dict[BatchId, BatchState]:
        """What workers look at every second."""
        raise NotImplementedError

    def beat(self, worker: WorkerSeen) -> None:
        """A worker lives; called every few seconds."""
        raise NotImplementedError

    def workers(self) -> tuple[WorkerSeen, ...]:
        """Those that live, and those that went within the last hour; newest first."""
        raise NotImplementedError
