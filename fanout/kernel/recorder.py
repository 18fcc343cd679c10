"""The log of one run and its newest snapshot: written on one thread, read from any.

With a journal, the end of a branch is shown to the world only once it is written down: what
somebody has seen finished is there after any crash. The kernel itself never waits for that, and
where the journal can't write, it is waited for no longer than `HOLD_S`.

Words come far more often than anybody looks, so they are folded in when somebody does.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from time import monotonic, time
from typing import Protocol

from fanout.events import (
    AggregateWritten,
    BallotCast,
    BranchFinished,
    BranchThought,
    BranchWrote,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.fold import apply, begin, write
from fanout.people import NOBODY, PersonId
from fanout.snapshot import Snapshot
from fanout.types import BranchId

HOLD_S = 2.0
"""Longest time that news is held back because it isn't written down yet."""
_LASTING = (BranchFinished, BallotCast, AggregateWritten, RunFinished)
_URGENT = (*_LASTING, RunStarted, RunResumed)
"""A run that goes on is written down at once, so that no other process goes on with it as well."""


class Journal(Protocol):
    """Whoever writes runs down; told of news, it answers by `Recorder.written`."""

    def news(self, recorder: Recorder, *, urgent: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """An event that is shown once it is written, and what is shown until then."""

    number: int
    before: Snapshot
    until: float


class Recorder:
    """Folds events as they happen. One writer; readers get whole snapshots and never block it."""

    def __init__(self, journal: Journal | None = None, *, person: PersonId = NOBODY) -> None:
        self.person = person
        """Whose run it is."""
        self._zero = monotonic()
        self.started_at = time()
        self._journal = journal
        self._events: list[Event] = []
        self._snapshot: Snapshot | None = None
        self._unfolded: list[BranchWrote] = []
        """The newest events, which aren't in the picture yet."""
        self._held: deque[_Held] = deque()
        self._news = threading.Condition()
        self.witness: Callable[[Recorder, Event], None] | None = None
        """Told of every event but pieces of text, on the writer's thread; it never raises."""
        self._heeding: tuple[Callable[[], None], ...] = ()
        self.kept = 0
        """How many of `events` are written down; the journal counts them here."""
        self.filed = 0
        """How many the journal's own count says; it joins pieces of text."""
        self.shift = 0
        """What an event's place in `events` lacks to its number in the record; `filed - kept`."""
        self.edition = 0
        """Which file these counts are about; the journal knows when another has taken its place."""
        self.hold_s = HOLD_S
        """0 while the journal can't write: then the people are told, and nothing is held back."""
        self.overtaken = False
        """True where the record went on without this one, so that nothing of it is kept."""

    @classmethod
    def reopened(
        cls,
        past: Sequence[Event],
        journal: Journal | None = None,
        *,
        filed: int = 0,
        person: PersonId = NOBODY,
    ) -> Recorder:
        """A run of earlier, all of whose events are written down; its clock goes on from there.

        Raises what `apply` raises where the events are no run.
        """
        first, *rest = past
        assert isinstance(first, RunStarted), "RunStarted is the first event of every run"
        recorder = cls(journal, person=person)
        recorder.started_at = first.started_at
        recorder._snapshot = reduce(apply, rest, begin(first))
        recorder._events = list(past)
        recorder._zero = monotonic() - recorder._snapshot.at
        recorder.kept = len(past)
        recorder.filed = filed
        recorder.shift = filed - len(past)
        return recorder

    def now_s(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self._zero

    def run_at(self, now_s: float) -> None:
        """Set that clock, where the run is carried out elsewhere."""
        self._zero = monotonic() - now_s

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture, for those who carry the run out."""
        if self._unfolded:
            self._fold()
        snapshot = self._snapshot
        assert snapshot is not None, "a run is seen only after its RunStarted"
        return snapshot

    @property
    def shown(self) -> Snapshot:
        """The newest picture for everybody else: no end in it can be lost any more."""
        held = self._oldest_held()
        return self.snapshot if held is None else held.before

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that is shown by now."""
        held = self._oldest_held()
        events = tuple(self._events)
        return events if held is None else events[: held.number - 1]

    def since(self, place: int) -> tuple[Event, ...]:
        """What is shown by now, from that place in `events` on."""
        held = self._oldest_held()
        return tuple(self._events[place : None if held is None else held.number - 1])

    def emit(self, event: Event) -> None:
        with self._news:
            if isinstance(event, BranchWrote):
                self._unfolded.append(event)
            else:
                self._take(event)
            self._events.append(event)
            self._news.notify_all()
        if self._journal is not None:
            self._journal.news(self, urgent=isinstance(event, _URGENT))
        if self.witness is not None and not isinstance(event, BranchWrote | BranchThought):
            self.witness(self, event)

    @property
    def log(self) -> tuple[Event, ...]:
        """Every event, also those that aren't shown yet."""
        with self._news:
            return tuple(self._events)

    def _take(self, event: Event) -> None:
        """Draw the next picture; what has to be written down first is held back."""
        if self._snapshot is None:
            assert isinstance(event, RunStarted), "RunStarted is the first event of every run"
            self._snapshot = begin(event)
            return
        before = self.snapshot
        self._snapshot = apply(before, event)
        if self._journal is not None and isinstance(event, _LASTING) and self.hold_s:
            until = monotonic() + self.hold_s
            self._held.append(_Held(number=len(self._events) + 1, before=before, until=until))

    def _fold(self) -> None:
        with self._news:
            if self._snapshot is not None and self._unfolded:
                self._snapshot = write(self._snapshot, self._unfolded)
                self._unfolded = []

    def unwritten(self) -> tuple[Snapshot, tuple[Event, ...]]:
        """The newest picture and the events since `kept`, for the journal."""
        with self._news:
            return self.snapshot, tuple(self._events[self.kept :])

    def written(self, count: int) -> None:
        """So many events are written down, or have to be shown although they are not."""
        with self._news:
            while self._held and self._held[0].number <= count:
                self._held.popleft()
            self._news.notify_all()
        self._tell()

    @property
    def settled(self) -> bool:
        """Whether everything of it is written down."""
        return self.kept == len(self._events)

    @property
    def told(self) -> int:
        """How many events there are, held ones included."""
        return len(self._events)

    def heed(self, told: Callable[[], None]) -> None:
        """Call it from now on, on any thread, when more is written down or the run has left."""
        self._heeding = (*self._heeding, told)

    def has_kept(self, branch: BranchId | None = None) -> bool:
        """Whether the end of that call, or of the whole run, is written down."""
        with self._news:
            snapshot, unwritten = self.snapshot, self._events[self.kept :]
            if self._journal is None:
                unwritten = []
            if branch is None:
                return snapshot.status.finished and not unwritten
            ended = any(one.id == branch and one.state.finished for one in snapshot.calls)
            open_ends = (one.id for one in unwritten if isinstance(one, BranchFinished))
            return ended and branch not in open_ends

    def _tell(self) -> None:
        for told in self._heeding:
            told()

    def leave(self) -> None:
        """The record went on without this one: whoever follows or waits is let go."""
        with self._news:
            self.overtaken = True
            self.hold_s = 0.0
            self._held.clear()
            self._news.notify_all()
        self._tell()

    def follow(self) -> Iterator[Event]:
        """Every event from the first on, as it is shown, until the run has finished or left.

        For threads other than the writer's; it blocks between events.
        """
        seen = 0
        while True:
            with self._news:
                while len(events := self.events) <= seen and not self.overtaken:
                    self._news.wait(self._patience())
                over = self.shown.status.finished or self.overtaken
            yield from events[seen:]
            seen = len(events)
            if over:
                return

    def wait_beyond(self, seen: int, timeout_s: float) -> None:
        """Block until more than so many events are shown, the run has finished or left, or time is
        up."""
        until = monotonic() + timeout_s
        with self._news:
            while len(self.events) <= seen and not self.overtaken:
                left = until - monotonic()
                if left <= 0 or self.shown.status.finished:
                    return
                waits = [s for s in (left, self._patience()) if s is not None]
                self._news.wait(min(waits))

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        """Block until the run has finished or left, or time is up; the snapshot says which."""
        until = None if timeout_s is None else monotonic() + timeout_s
        with self._news:
            while not self.shown.status.finished and not self.overtaken:
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    break
                waits = [s for s in (left, self._patience()) if s is not None]
                self._news.wait(min(waits) if waits else None)
            return self.shown

    def _oldest_held(self) -> _Held | None:
        """What is being held back; none once its time is up."""
        now = monotonic()
        try:
            while self._held and self._held[0].until <= now:
                self._held.popleft()
            return self._held[0] if self._held else None
        except IndexError:
            return None

    def _patience(self) -> float | None:
        """Seconds until something that is held back is shown in any case; None: nothing is."""
        held = self._oldest_held()
        return None if held is None else max(0.001, held.until - monotonic())
