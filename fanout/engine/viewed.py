"""Another person's run, whose link is shared: looked at while it is shared, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic

from fanout.engine.handle import RunHandle
from fanout.errors import StoreError
from fanout.events import Event
from fanout.snapshot import Snapshot
from fanout.store.values import Standing

VIEWED = (
    "This run was shared with you. Only its owner can stop it, ask again or combine it anew; you "
    "can read, replay, present and export it, and run its topic yourself."
)


CHECK_S = 5.0
"""For so long a look whether the run is still shared counts."""


class ViewedRun(RunHandle):
    """Whatever is asked of it, the run goes on as its owner wants it.

    A page may keep this for as long as it is open. Once the run is shared no more, it stays at what
    was seen until then.
    """

    def __init__(
        self, run: RunHandle, shared: Callable[[], bool], clock: Callable[[], float] = monotonic
    ) -> None:
        """`shared` asks the record whether it still is; now it is."""
        super().__init__(
            recorder=run._recorder,
            workflow=run.workflow,
            model=run.model,
            fixed=VIEWED,
        )
        self.run = run
        """As it was when the page was drawn; it may go on in another process."""
        self.imported = run.imported

        self._shared = shared
        self._clock = clock
        self._looked = clock()
        self._open = True
        self._seen = run.snapshot, run.events

    @property
    def snapshot(self) -> Snapshot:
        return self._look()[0]

    @property
    def outdated(self) -> bool:
        return self.run.newest.outdated

    @property
    def events(self) -> tuple[Event, ...]:
        return self._look()[1]

    def now_s(self) -> float:
        return self.run.newest.now_s()

    def follow(self) -> Iterator[Event]:
        for event in self.run.newest.follow():
            self._look()
            if not self._open:
                return
            yield event

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        self.run.newest.wait(timeout_s)
        return self.snapshot

    def compare(self, standing: Standing) -> None:
        """The run itself is told."""

    def _look(self) -> tuple[Snapshot, tuple[Event, ...]]:
        if self._clock() - self._looked >= CHECK_S:
            self._looked = self._clock()
            # What was known last holds until it can be asked.
            with suppress(StoreError):
                self._open = self._shared()
        if self._open:
            run = self.run.newest
            self._seen = run.snapshot, run.events
        return self._seen
