"""The wait of branches that begin alike: one goes ahead, or the server copies, then all start."""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from fanout.events import BranchHeld, PrefixOpened
from fanout.kernel.prefix import Opening
from fanout.kernel.recorder import Recorder
from fanout.policies import HoldReason
from fanout.types import BranchId, BranchPlan


class Way:
    """One opening as it happens."""

    def __init__(self, recorder: Recorder, opening: Opening) -> None:
        self._recorder = recorder
        self.opening = opening
        self._began_s = recorder.now_s()
        self._open = anyio.Event()
        self._ended: set[BranchId] = set()
        self.opened = False
        """True once what they share was computed."""
        self.preparing = anyio.CancelScope()
        """Around what the server does for them; left as soon as nobody waits for it."""

    async def wait(self, branch: BranchId) -> None:
        """Returns once that branch may start."""
        if branch == self.opening.opener or self._open.is_set():
            return
        at = self._recorder.now_s()
        self._recorder.emit(BranchHeld(at=at, id=branch, reason=HoldReason.PREFIX))
        await self._open.wait()

    def sent(self, branch: BranchId) -> None:
        """That branch's request goes out: from here on the time to its first token counts."""
        if branch == self.opening.opener and not self._open.is_set():
            self._began_s = self._recorder.now_s()

    def signed(self, branch: BranchId) -> None:
        """That branch's first token is there."""
        if branch == self.opening.opener and not self._open.is_set():
            self.open(self.opening.tokens, self._recorder.now_s() - self._began_s)

    def failed(self, branch: BranchId) -> None:
        """An attempt of that branch failed: nobody waits for its next one."""
        if branch == self.opening.opener:
            self.give_up()

    def ended(self, branch: BranchId) -> None:
        """That branch is over."""
        self._ended.add(branch)
        self.failed(branch)
        if self._ended.issuperset(self.opening.branches):
            self.preparing.cancel()

    def open(self, tokens: int, took_s: float) -> None:
        """What they share was computed in so many seconds: all may start."""
        self.opened = True
        self._recorder.emit(
            PrefixOpened(
                at=self._recorder.now_s(),
                branches=self.opening.branches,
                tokens=tokens,
                took_s=took_s,
                by=self.opening.opener,
            )
        )
        self._open.set()

    def give_up(self) -> None:
        """All may start, though nothing was computed for them."""
        self._open.set()


class Openings:
    """Which branch waits for which way to be opened."""

    def __init__(self) -> None:
        self._ways: dict[BranchId, Way] = {}

    def put(self, ways: Iterable[Way]) -> None:
        self._ways.update({branch: way for way in ways for branch in way.opening.branches})

    async def wait(self, plan: BranchPlan) -> None:
        if (way := self._ways.get(plan.id)) is not None:
            await way.wait(plan.id)

    def sent(self, branch: BranchId) -> None:
        if (way := self._ways.get(branch)) is not None:
            way.sent(branch)

    def signed(self, branch: BranchId) -> None:
        if (way := self._ways.get(branch)) is not None:
            way.signed(branch)

    def failed(self, branch: BranchId) -> None:
        if (way := self._ways.get(branch)) is not None:
            way.failed(branch)

    def ended(self, branch: BranchId) -> None:
        if (way := self._ways.get(branch)) is not None:
            way.ended(branch)
