"""When the answer may be written: when all have ended, k have succeeded, or time is up."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from fanout.events import FanInReached
from fanout.kernel.recorder import Recorder
from fanout.policies import FanIn
from fanout.snapshot import Snapshot
from fanout.types import BranchId


class FanInWait:
    """Waits for one fan-out by its policy. Used on the engine's loop only."""

    def __init__(self, recorder: Recorder, policy: FanIn) -> None:
        self._recorder = recorder
        self._policy = policy
        self._news = anyio.Event()
        self._ended = False

    def heard(self) -> None:
        """A branch has ended."""
        news, self._news = self._news, anyio.Event()
        news.set()

    def all_ended(self) -> None:
        self._ended = True
        self.heard()

    async def reached(self, stopped: Callable[[], bool]) -> None:
        """Returns when the policy has what it asked for. Where branches are late then, the run is
        told so; after a Stop it waits for all, since nothing is combined."""
        if not self._policy.waits_for_all:
            deadline_s = self._policy.deadline_s
            with anyio.move_on_after(deadline_s):
                await self._until(lambda: self._enough(self._policy.k))
            # Time is up, or enough is there; an answer made of nothing helps nobody.
            await self._until(lambda: self._enough(1))
            late = _open(self._recorder.snapshot)
            if not late:
                return
            if not stopped():
                by_k = self._policy.k is not None and self._enough(self._policy.k)
                self._recorder.emit(
                    FanInReached(
                        at=self._recorder.now_s(),
                        late=late,
                        by="k_of_n" if by_k else "deadline",
                    )
                )
                return
        await self._until(lambda: False)

    async def _until(self, enough: Callable[[], bool]) -> None:
        while not (self._ended or enough()):
            await self._news.wait()

    def _enough(self, wanted: int | None) -> bool:
        if wanted is None:
            return False
        done = sum(branch.state.succeeded for branch in self._recorder.snapshot.branches)
        return done >= wanted


def _open(snapshot: Snapshot) -> tuple[BranchId, ...]:
    return tuple(branch.id for branch in snapshot.branches if not branch.state.finished)
