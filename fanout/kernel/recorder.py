"""The log of one run and its newest snapshot: written on one thread, read from any."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic, time

from fanout.events import Event, RunStarted
from fanout.fold import apply, begin
from fanout.snapshot import Snapshot


class Recorder:
    """Folds events as they happen. One writer; readers get whole snapshots and never block it."""

    def __init__(self) -> None:
        self._zero = monotonic()
        self.started_at = time()
        self._events: list[Event] = []
        self._snapshot: Snapshot | None = None
        self._news = threading.Condition()

    def now_s(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self._zero

    @property
    def snapshot(self) -> Snapshot:
        snapshot = self._snapshot
        assert snapshot is not None, "a run is seen only after its RunStarted"
        return snapshot

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self._events)

    def emit(self, event: Event) -> None:
        if self._snapshot is None:
            assert isinstance(event, RunStarted), "RunStarted is the first event of every run"
            snapshot = begin(event)
        else:
            snapshot = apply(self._snapshot, event)
        with self._news:
            self._events.append(event)
            self._snapshot = snapshot
            self._news.notify_all()

    def follow(self) -> Iterator[Event]:
        """Every event from the first on, as it happens, until the run has finished.

        For threads other than the writer's; it blocks between events.
        """
        seen = 0
        while True:
            with self._news:
                while len(self._events) <= seen:
                    self._news.wait()
                fresh = self._events[seen:]
                over = self.snapshot.status.finished
            yield from fresh
            seen += len(fresh)
            if over:
                return

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        """Block until the run has finished, or time is up; the snapshot says which."""
        with self._news:
            self._news.wait_for(lambda: self.snapshot.status.finished, timeout_s)
            return self.snapshot
