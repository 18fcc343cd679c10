"""A batch: one workflow on many topics, a row each; values only.

A batch belongs to the database, not to a process. Workers of any number take its rows, each row is
one run of the engine, and everything about it can be read while it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fanout.people import NOBODY, PersonId
from fanout.policies import Budget
from fanout.types import BatchId, Cost, EndpointId, FailureKind, ModelRef, RunId, Via

FORMAT = 1
"""Counts the changes after which an older worker can't carry out a row as it is meant."""

HELD = "held back until the trial is over"
"""`Row.skipped` of rows that are wanted, but only once a few others have been tried."""


class BatchState(StrEnum):
    RUNNING = "running"
    """Workers take its rows."""
    PAUSED = "paused"
    """No new row is taken; those under way are finished. `Batch.why` says why, if nobody asked."""
    STOPPED = "stopped"
    """A user's choice: rows under way were stopped, the others stay waiting. Can be resumed."""
    FINISHED = "finished"
    """Every row has ended. Adding rows or retrying some makes it go on."""


class RowState(StrEnum):
    WAITING = "waiting"
    """Nobody has taken it yet."""
    QUEUED = "queued"
    """Handed to the workers' queue."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """Answered, without one of its branches."""
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    """Not wanted: a repeated or an empty row that was left out before the start."""

    @property
    def finished(self) -> bool:
        return self not in (RowState.WAITING, RowState.QUEUED, RowState.RUNNING)

    @property
    def lacks(self) -> bool:
        """Whether something of it failed, and may be asked again."""
        return self in (RowState.FAILED, RowState.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One topic as it was read, with the other columns of its row."""

    number: int
    """From 1, over all rows of the batch; rows added later go on counting."""
    topic: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Column to text, the topic's own column among them."""
    line: int | None = None
    """Where it stood in the file, from 1; None for pasted lines."""
    skipped: str = ""
    """Why it is left out, as "the same as row 3"; "" where it is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """Everything that is decided before a batch starts."""

    title: str
    """For people; the file's name where nobody chose one."""
    workflow: str
    definition: Mapping[str, object]
    """The workflow as plain JSON, as `MadeWith.definition` holds it."""
    model: ModelRef
    columns: tuple[str, ...] = ()
    topic_column: str = "topic"
    concurrency: int = 4
    """Rows in flight at once, over all workers."""
    rows_per_minute: int | None = None
    """No more rows than this begin within a minute; None: as fast as the endpoint takes them."""
    budget: Budget = field(default_factory=Budget)
    """What the whole batch may spend."""
    via: Via = Via.CALLS
    person: PersonId = NOBODY
    estimate: Mapping[str, object] = field(default_factory=dict)
    """What it was thought to take, as shown before the start; plain JSON."""
    places: Mapping[EndpointId, str] = field(default_factory=dict)
    """Where it asks: each endpoint's address, see `fanout.batch.places`. Empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(NewBatch):
    id: BatchId
    state: BatchState
    why: str = ""
    """Why it is paused, where nobody asked for that, and what to do."""
    format: int = FORMAT
    made_by: str = ""
    """The version of Fanout that made it."""
    created_at: float = 0.0
    """Unix time, as the next two."""
    started_at: float | None = None
    finished_at: float | None = None
    changed: int = 0
    """Goes up with every change of its state or settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of a row; written once its run has ended and is recorded."""

    state: RowState
    run_id: RunId | None = None
    cause: FailureKind | None = None
    """Of the failure that decided it: the aggregate's, or else the first branch's."""
    message: str = ""
    """The same for people."""
    answer: str = ""
    """The combined answer's text."""
    verdict: str | None = None
    """What a vote decided; None where nothing was voted on, or nobody won."""
    agreement: float | None = None
    """Share of the valid ballots for the winner, 0 to 1."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """Name to figure, as on a run's page: independence, balance, speed_up, overhead, ..."""
    cost: Cost | None = None
    """None is unknown."""
    input_tokens: int = 0
    output_tokens: int = 0
    wall_s: float = 0.0
    sequential_s: float = 0.0
    branches: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRecord:
    """A row and where it stands."""

    row: Row
    state: RowState
    go: int = 0
    """How often it was handed to the queue; each go is a durable workflow of its own."""
    tries: int = 0
    """How often a worker has begun it: not where it was only queued, and taken back by a pause."""
    worker: str = ""
    """The process that has it, or had it last."""
    run_id: RunId | None = None
    """Known from the moment that it begins."""
    started_at: float | None = None
    finished_at: float | None = None
    result: RowResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Rows that failed for one cause, or that lack a branch for it."""

    cause: FailureKind | None
    message: str
    """Of the newest of them."""
    count: int
    rows: tuple[int, ...]
    """The first few numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A batch at one moment, counted by the database."""

    at: float
    counts: Mapping[RowState, int]
    cost_nano: int
    """Nano-dollars of all calls whose cost is known, rows under way not included."""
    unknown_costs: int
    """Rows that ended at an unknown cost."""
    estimated_costs: int = 0
    """Rows whose cost comes from an estimated usage."""
    tokens: int
    recent: int
    """Rows that ended within the last `recent_s` seconds, none of them before the batch went on."""
    recent_s: float
    failures: tuple[FailureGroup, ...] = ()
    via: Via = Via.CALLS
    booked_nano: int | None = None
    """Nano-dollars that count against the batch's budget: also those of rows under way, and of
    rows that were put back and wait; None where nothing was booked."""
    booked_tokens: int | None = None

    def cost_under(self, budget: Budget) -> int:
        """Nano-dollars to be held against that budget; without one, those of rows that ended."""
        booked = self.booked_nano if budget.usd is not None else None
        return self.cost_nano if booked is None else booked

    def tokens_under(self, budget: Budget) -> int:
        """The same in tokens."""
        booked = self.booked_tokens if budget.tokens is not None else None
        return self.tokens if booked is None else booked

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Skipped ones not counted."""
        return sum(n for state, n in self.counts.items() if state.finished) - self.counts.get(
            RowState.SKIPPED, 0
        )

    @property
    def answered(self) -> int:
        """Whole or in part."""
        return self.counts.get(RowState.SUCCEEDED, 0) + self.counts.get(RowState.PARTIAL, 0)

    @property
    def halted_left(self) -> int:
        """What a halted batch begins anew when it is resumed."""
        halted = (RowState.WAITING, RowState.QUEUED, RowState.STOPPED)
        return sum(self.counts.get(state, 0) for state in halted)

    @property
    def left(self) -> int:
        return sum(n for state, n in self.counts.items() if not state.finished)

    @property
    def rows_per_minute(self) -> float | None:
        """None until two rows have ended lately, and by a provider's Batch API: it answers a day's
        rows at once, so the newest ends say nothing about the others."""
        if self.via is Via.PROVIDER:
            return None
        return self.recent / self.recent_s * 60 if self.recent > 1 and self.recent_s > 0 else None

    @property
    def remaining_s(self) -> float | None:
        """At the rate of lately; None where that is unknown."""
        rate = self.rows_per_minute
        return None if rate is None else self.left / rate * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A process that takes rows, or took them and is gone."""

    id: str
    host: str
    pid: int
    version: str
    format: int
    """The newest that it can carry out; see `FORMAT`."""
    started_at: float
    seen_at: float
    alive: bool
    rows: int = 0
    """At work on now."""
    done: int = 0
    """Ended by it, over all batches."""
    leaves: Mapping[BatchId, str] = field(default_factory=dict)
    """Batches that it leaves to others, and why."""

    def able(self, batch: Batch) -> bool:
        """Whether it is there and can carry that batch out."""
        return self.alive and self.format >= batch.format and batch.id not in self.leaves
