"""A run that another process is at work on: shown as it is written down, a second behind."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep
from typing import TYPE_CHECKING

from fanout.engine.handle import RunHandle
from fanout.errors import StoreError
from fanout.events import Event
from fanout.kernel.recorder import Recorder
from fanout.snapshot import Snapshot
from fanout.store.values import Standing, StoredRun
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow

if TYPE_CHECKING:
    from fanout.store.store import Store

LOOK_S = 1.0
"""How often the record is asked for news."""


class WatchedRun(RunHandle):
    """Can be looked at, and nothing else: the other process has its calls in hand."""

    def __init__(
        self, stored: StoredRun, store: Store, workflow: Workflow, model: ModelRef
    ) -> None:
        super().__init__(
            recorder=Recorder.reopened(stored.events, person=stored.person),
            workflow=workflow,
            model=model,
            fixed="Another process of Fanout is at work on this run. It can be stopped there.",
        )
        self._store = store
        self._written = stored.written
        self._looked = monotonic()
        self._outdated = False

    @property
    def snapshot(self) -> Snapshot:
        self._look()
        return super().snapshot

    @property
    def outdated(self) -> bool:
        """It has ended there, so that it can be carried on here; or its process is gone."""
        return self._outdated

    def follow(self) -> Iterator[Event]:
        """As it is written down there, until it has ended; also where its process is gone."""
        seen = 0
        while True:
            over = self.snapshot.status.finished or self._outdated
            events = self.events
            yield from events[seen:]
            seen = len(events)
            if over:
                return
            sleep(LOOK_S)

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        """Until it has ended there, or its process is gone, or time is up."""
        until = None if timeout_s is None else monotonic() + timeout_s
        while not ((shown := self.snapshot).status.finished or self._outdated):
            left = LOOK_S if until is None else min(LOOK_S, until - monotonic())
            if left <= 0:
                break
            sleep(left)
        return shown

    def compare(self, standing: Standing) -> None:
        """It looks by itself."""

    def _look(self) -> None:
        now = monotonic()
        if now - self._looked < LOOK_S or self._outdated:
            return
        self._looked = now
        try:
            stored = self._store.load(self._recorder.shown.run_id)
        except StoreError:
            # It is asked again in a second; what is there stays on screen.
            return
        self._outdated = stored is None or not stored.live
        if stored is not None and stored.written > self._written:
            self._written = stored.written
            self._recorder = Recorder.reopened(stored.events, person=stored.person)
