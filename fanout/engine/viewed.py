"""Another person's run, whose link is shared: looked at, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from fanout.engine.handle import RunHandle
from fanout.events import Event
from fanout.snapshot import Snapshot
from fanout.store.values import Standing

VIEWED = (
    "This run was shared with you. Only its owner can stop it, ask again or combine it anew; you "
    "can read, replay, present and export it, and run its topic yourself."
)


class ViewedRun(RunHandle):
    """Whatever is asked of it, the run goes on as its owner wants it."""

    def __init__(self, run: RunHandle) -> None:
        super().__init__(
            recorder=run._recorder,
            workflow=run.workflow,
            model=run.model,
            fixed=VIEWED,
        )
        self.run = run
        self.imported = run.imported

    @property
    def snapshot(self) -> Snapshot:
        return self.run.snapshot

    @property
    def outdated(self) -> bool:
        return self.run.outdated

    @property
    def events(self) -> tuple[Event, ...]:
        return self.run.events

    def now_s(self) -> float:
        return self.run.now_s()

    def follow(self) -> Iterator[Event]:
        return self.run.follow()

    def wait(self, timeout_s: float | None = None) -> Snapshot:
        return self.run.wait(timeout_s)

    def compare(self, standing: Standing) -> None:
        """The run itself is told."""
