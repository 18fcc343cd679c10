"""A run that another process carries out: seen as it happens there, and asked there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from fanout.engine.handle import Acts, RunHandle
from fanout.events import BranchWrote, Event
from fanout.kernel.recorder import Recorder
from fanout.snapshot import Snapshot
from fanout.store.values import Later, Standing, StoredRun
from fanout.types import BranchId, ModelRef
from fanout.workflows.definition import Workflow

log = logging.getLogger(__name__)

LOOKED_S = 10.0
"""For so long after somebody looked, a run is followed."""
NOTICED_S = 20.0
"""For so long it is said that something could not be asked."""
ALONE = "Another process of Fanout is at work on this run. It can be stopped there."
OUT_OF_REACH = (
    "Another process of Fanout is at work on this run, and can't be reached right now: it is shown "
    "as it is written down, and can be stopped in a moment."
)


class WatchedRun(RunHandle):
    """Fed by whoever calls `take` and `take_later`; safe in any thread, as every handle."""

    elsewhere = True

    def __init__(
        self,
        stored: StoredRun,
        workflow: Workflow,
        model: ModelRef,
        *,
        acts: Acts | None = None,
        fixed: Callable[[], str] = lambda: ALONE,
        looked_at: Callable[[WatchedRun], None] = lambda _run: None,
    ) -> None:
        """`fixed` says why nothing can be asked of it now, "" where it can; `looked_at` is told of
        each look."""
        recorder = Recorder.reopened(stored.events, filed=stored.written, person=stored.person)
        super().__init__(recorder=recorder, workflow=workflow, model=model, acts=acts)
        self._why_fixed = fixed
        self._looked_at = looked_at
        self._feeding = threading.Lock()
        self._followers = 0
        self._noticed = ("", 0.0)
        self.looked_s = monotonic()
        """When somebody looked last."""
        self.owner = stored.owner
        self.next = stored.written
        """The number of the first event that is not known here, by the record's count."""

    @property
    def fixed(self) -> str:
        return self._why_fixed()

    @property
    def notice(self) -> str:
        text, since_s = self._noticed
        return text if monotonic() - since_s < NOTICED_S and not self.outdated else ""

    def notify(self, text: str) -> None:
        """Why something could not be asked; "" once it could."""
        self._noticed = (text, monotonic())

    @property
    def snapshot(self) -> Snapshot:
        self._touch()
        return super().snapshot

    @property
    def seen(self) -> Snapshot:
        """The newest picture, without this being a look."""
        return super().snapshot

    @property
    def outdated(self) -> bool:
        """It has ended there, so that it can be carried on here; or it is gone."""
        return self._recorder.overtaken or super().snapshot.status.finished

    @property
    def wanted(self) -> bool:
        """Whether somebody looks at it."""
        return self._followers > 0 or monotonic() - self.looked_s < LOOKED_S

    def follow(self) -> Iterator[Event]:
        """As it happens there, until it has ended; also where its process is gone."""
        with self._followed():
            yield from self._recorder.follow()

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        """Until it has ended there, or its process is gone, or time is up."""
        with self._followed():
            return self._recorder.wait(timeout_s)

    def compare(self, standing: Standing) -> None:
        """It is told by itself."""

    def take(self, first: int, count: int, events: Sequence[Event], now_s: float) -> bool:
        """So many events from that number on; False where they don't follow what is known."""
        with self._feeding:
            if first != self.next:
                return False
            self._feed(events, first + count)
            self._recorder.run_at(now_s)
            return True

    def take_later(self, later: Later, known: int) -> bool:
        """What the record has beyond the first `known` events; False where the whole run has to be
        loaded to know."""
        with self._feeding:
            self.owner = later.owner or self.owner
            if later.written <= self.next or known != self.next:
                # What came by another way meanwhile is newer.
                return True
            if later.events is None:
                return False
            self._feed(later.events, later.written)
            return True

    def take_whole(self, stored: StoredRun) -> None:
        """The run as it stands in the record."""
        with self._feeding:
            if stored.written > self.next:
                self._feed(beyond(stored.events, self._recorder.events), stored.written)

    def leave(self) -> None:
        """It is not to be followed any more: whoever waits is let go."""
        self._recorder.leave()

    def _feed(self, events: Sequence[Event], reaching: int) -> None:
        try:
            for event in events:
                self._recorder.emit(event)
        except Exception:
            log.exception("run %s, as another process told it, makes no sense", self.seen.run_id)
            self.leave()
        self.next = reaching

    def _touch(self) -> None:
        self.looked_s = monotonic()
        self._looked_at(self)

    @contextmanager
    def _followed(self) -> Iterator[None]:
        self._followers += 1
        self._touch()
        try:
            yield
        finally:
            self._followers -= 1


def beyond(events: Sequence[Event], known: Sequence[Event]) -> tuple[Event, ...]:
    """Of a run's events those that are not known, where its text may be cut in other pieces.

    Text of a branch keeps its order, and so do all other events: what comes first is what is known.
    """
    others = sum(not isinstance(event, BranchWrote) for event in known)
    chars: dict[BranchId, int] = {}
    pieces: dict[BranchId, int] = {}
    for event in known:
        if isinstance(event, BranchWrote):
            chars[event.id] = chars.get(event.id, 0) + len(event.text)
            pieces[event.id] = pieces.get(event.id, 0) + event.pieces
    rest: list[Event] = []
    for event in events:
        if not isinstance(event, BranchWrote):
            others -= 1
            if others < 0:
                rest.append(event)
            continue
        skipped = min(chars.get(event.id, 0), len(event.text))
        counted = min(pieces.get(event.id, 0), event.pieces)
        chars[event.id] = chars.get(event.id, 0) - skipped
        pieces[event.id] = pieces.get(event.id, 0) - counted
        if text := event.text[skipped:]:
            rest.append(replace(event, text=text, pieces=event.pieces - counted))
    return tuple(rest)
