"""When the answer may be written: when all have ended, k have succeeded, or time is up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

import anyio

from fanout.events import FanInReached
from fanout.kernel.recorder import Recorder
from fanout.policies import FanIn
from fanout.types import BranchId


class FanInWait:
    """Waits for one fan-out by its policy. Used on the engine's loop only."""

    def __init__(self, recorder: Recorder, policy: FanIn, asked: Iterable[BranchId]) -> None:
        """`asked` are the branches that are waited for; in a run that goes on, others were done
        before."""
        self._recorder = recorder
        self._policy = policy
        self._open = list(asked)
        self._before = self._succeeded()
        self._news = anyio.Event()
        self._ended = False

    def heard(self, branch: BranchId) -> None:
        """That branch has ended."""
        self._open.remove(branch)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, anyio.Event()
        news.set()

    def all_ended(self) -> None:
        self._ended = True
        self._tell()

    async def reached(
        self, stopped: Callable[[], bool], not_needed: Collection[BranchId] = ()
    ) -> None:
        """Returns when the policy has what it asked for. Where branches are late then, the run is
        told so. It waits for all after a Stop, since nothing is combined, and where those that are
        open are not needed, since they are called off."""
        combines = self._recorder.snapshot.aggregate_kind is not None
        if combines and not self._policy.waits_for_all:
            deadline_s = self._policy.deadline_s
            with anyio.move_on_after(deadline_s):
                await self._until(self._enough)
            # Time is up, or enough is there; an answer made of nothing helps nobody.
            await self._until(lambda: self._succeeded() > 0)
            late = tuple(branch for branch in self._open if branch not in not_needed)
            if late and not stopped():
                by: Literal["k_of_n", "deadline"] = "k_of_n" if self._enough() else "deadline"
                at = self._recorder.now_s()
                self._recorder.emit(FanInReached(at=at, late=late, by=by))
                return
        await self._until(lambda: False)

    async def _until(self, enough: Callable[[], bool]) -> None:
        while not (self._ended or enough()):
            await self._news.wait()

    def _enough(self) -> bool:
        """Whether k have succeeded, one of those that were asked now among them."""
        k = self._policy.k
        return k is not None and self._succeeded() >= max(k, self._before + 1)

    def _succeeded(self) -> int:
        return sum(branch.state.succeeded for branch in self._recorder.snapshot.branches)
