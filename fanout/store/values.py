"""What the store takes and gives: runs as rows, whole runs, questions and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from fanout.events import Event
from fanout.people import NOBODY, PersonId
from fanout.snapshot import Snapshot
from fanout.types import RunId, RunStatus

Order = Literal["started", "wall", "cost", "saved", "topic", "workflow"]
Choice = Literal["a", "b", "tie", "both_bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What is new of one run since it was last written."""

    snapshot: Snapshot
    """The picture after the newest of `events`."""
    events: tuple[Event, ...]
    first: int
    """How many events of the run were written before."""
    person: PersonId = NOBODY
    """Whose run it is; counts when it is first written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person wrote on a run."""

    name: str = ""
    """Shown instead of the topic; "" shows the topic."""
    notes: str = ""
    tags: tuple[str, ...] = ()
    favourite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A whole run as it was written, up to its newest event."""

    events: tuple[Event, ...]
    snapshot: Snapshot
    label: Label = Label()
    imported_at: float | None = None
    deleted_at: float | None = None
    live: bool = False
    """Another process is still at work on it."""
    owner: str = ""
    """Which process that is."""
    written: int = 0
    """How many events were written; `events` are fewer where pieces of text were joined."""
    problem: str = ""
    """What could not be read of it, for the screen; "" where it is whole."""
    person: PersonId = NOBODY
    """Whose run it is."""

    @property
    def id(self) -> RunId:
        return self.snapshot.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What the record of a run has beyond a number of events that is known."""

    events: tuple[Event, ...] | None
    """From that number on; None where the record isn't cut there, so that the run has to be loaded.
    """
    written: int
    """As `StoredRun.written`."""
    live: bool
    """As `StoredRun.live`."""
    owner: str
    """As `StoredRun.owner`."""
    running: bool
    """By the record it has not ended, though its process may have."""
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """Runs that processes are at work on, but for rows of batches."""

    of_person: int
    of_all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the record of a run goes."""

    written: int
    """As `StoredRun.written`."""
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may see a run: its person, and where it is shared everybody who is signed in."""

    person: PersonId
    shared: bool = False
    deleted: bool = False

    def sees(self, person: PersonId) -> bool:
        """Deleted runs are for their own person only."""
        return person == self.person or (self.shared and not self.deleted)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as a line of a list."""

    id: RunId
    workflow: str
    title: str
    """The workflow's title."""
    kind: str
    topic: str
    status: RunStatus
    started_at: float
    """Unix time in seconds."""
    wall_s: float
    sequential_s: float
    cost_usd: Decimal | None
    """None is unknown."""
    free: bool
    """Every call ran on a machine of one's own."""
    models: tuple[str, ...]
    branches: int
    failed: int
    label: Label
    imported: bool = False
    shared: bool = False
    batch: str = ""
    """The batch of which it is a row."""
    deleted_at: float | None = None
    excerpt: str = ""
    """Where a text search found it, with the words found between U+2402 and U+2403."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which runs, in what order; what is left empty doesn't narrow."""

    text: str = ""
    """Words, all of which stand in topic, texts, name or notes; the last may be unfinished.
    "Quoted words" stand together."""
    workflows: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    statuses: tuple[RunStatus, ...] = ()
    tags: tuple[str, ...] = ()
    since: float | None = None
    """Unix time in seconds, included."""
    until: float | None = None
    """Unix time in seconds, not included."""
    least_usd: Decimal | None = None
    most_usd: Decimal | None = None
    favourites: bool = False
    deleted: bool = False
    """Only the deleted ones, which are otherwise left out."""
    rows: bool = True
    """With the runs that are rows of a batch."""
    batch: str = ""
    """Only the rows of that batch."""
    called: bool = False
    """Only runs that asked for themselves: no row that may have lain with a provider's Batch API,
    which is one of a batch that went that way, or that nobody knows any more."""
    person: PersonId | None = None
    """Only this person's; the History of a person sets it by itself. None: whoever's."""
    order: Order = "started"
    descending: bool = True
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    rows: tuple[RunRow, ...]
    total: int
    """How many fit in all; `rows` are one page of them."""
    at_least: bool = False
    """`total` is where counting stopped, which is 10,000 at most: more may fit, and are on later
    pages. Only so where a text was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What there is to filter by, with how many runs each, most first."""

    workflows: tuple[tuple[str, int], ...] = ()
    models: tuple[tuple[str, int], ...] = ()
    statuses: tuple[tuple[str, int], ...] = ()
    tags: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotal:
    """One day's runs, by UTC date."""

    day: str
    """YYYY-MM-DD."""
    runs: int
    wall_s: float
    sequential_s: float
    cost_usd: Decimal
    """Of the runs whose cost is known."""
    unknown_cost: int
    """How many runs have no known cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A blind comparison of two texts, given before their names were shown."""

    run_a: RunId
    call_a: str
    """The call's id; "" is the run's combined answer."""
    run_b: RunId
    call_b: str
    choice: Choice
    given_at: float
    """Unix time in seconds."""
