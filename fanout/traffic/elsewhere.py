"""An endpoint's rates in the place that processes share, asked from the engine's loop.

What is settled is owed until the next chance to pay, so that nothing on the loop waits for a
server. While the place can't be reached this process keeps its own count, which always goes along;
nobody waits for one that says nothing: what is asked then is left to its thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.to_thread import run_sync

from fanout.traffic.lane import Lane, OutOfReach, Taken, wall_ms
from fanout.traffic.quota import Limits, Reserved

AGAIN_S = 5.0
"""A place that can't be reached is tried again after this."""
TAKE_S = PAY_S = 3.0
"""A place that says nothing for so long counts as out of reach."""
MOST_OWED = 10_000


class Elsewhere:
    """One endpoint's lane."""

    def __init__(self, lane: Lane, name: str, *, again_s: float = AGAIN_S) -> None:
        self._lane = lane
        self._again_s = again_s
        self.name = name
        self.problem = ""
        """Why limits hold for this process alone at the moment."""
        self._again_ms = 0
        self._lifted = False
        self._owed: list[Callable[[], None]] = []
        self._paying = Lock()

    async def take(self, limits: Limits, tokens: int) -> Taken | None:
        """What the place says; None where it can't be reached and this process counts alone."""
        if wall_ms() < self._again_ms:
            return None
        ask = _Ask(partial(self._take, limits, tokens), partial(self._came_late, tokens))
        await checkpoint_if_cancelled()
        # Who is cancelled waits for the answer, to give back at once what was taken.
        with anyio.CancelScope(shield=True), anyio.move_on_after(TAKE_S):
            try:
                taken = await run_sync(ask.answer, abandon_on_cancel=True)
            except OutOfReach as error:
                self._missed(str(error))
                return None
            self.problem = ""
            return taken
        if (late := ask.leave()) is not None:
            self._give_back(tokens, late)
        self._missed(self._silent)
        return None

    def settle(self, reserved: Reserved, requests: int, tokens: int) -> None:
        """So many more or less than were reserved; paid with the next `pay`."""
        if reserved.elsewhere_ms is not None and (requests or tokens):
            self._owe(partial(self._lane.count, requests, tokens, reserved.elsewhere_ms))

    def pause(self, seconds: float) -> None:
        self._owe(partial(self._lane.pause, wall_ms() + int(seconds * 1000)))

    def lift(self) -> None:
        """End the pause for all, before the next call is asked for."""
        self._lifted = True

    async def pay(self) -> None:
        """Tell the place what is owed; short, and not given up half-way by a cancellation."""
        if not self._owed or wall_ms() < self._again_ms:
            return
        with anyio.CancelScope(shield=True), anyio.move_on_after(PAY_S) as scope:
            try:
                await run_sync(self._pay, abandon_on_cancel=True)
            except OutOfReach as error:
                self._missed(str(error))
        if scope.cancelled_caught:
            self._missed(self._silent)

    def _take(self, limits: Limits, tokens: int) -> Taken:
        if self._lifted:
            self._lane.lift()
            self._lifted = False
        return self._lane.take(limits, tokens)

    def _give_back(self, tokens: int, taken: Taken) -> None:
        if not taken.wait_s and not taken.paused_s:
            self._owe(partial(self._lane.count, -1, -tokens, taken.at_ms))

    def _came_late(self, tokens: int, taken: Taken) -> None:
        self._give_back(tokens, taken)
        with suppress(OutOfReach):
            self._pay()

    def _owe(self, debt: Callable[[], None]) -> None:
        if len(self._owed) < MOST_OWED:
            self._owed.append(debt)

    def _pay(self) -> None:
        """One after another, so that what can't be paid now is still owed."""
        if not self._paying.acquire(timeout=PAY_S):
            return
        try:
            while self._owed:
                self._owed[0]()
                del self._owed[0]
        finally:
            self._paying.release()

    @property
    def _silent(self) -> str:
        return (
            f"{self.name[0].upper()}{self.name[1:]} says nothing, so limits hold for this process "
            "only"
        )

    def _missed(self, problem: str) -> None:
        self.problem = problem
        self._again_ms = wall_ms() + int(self._again_s * 1000)


class _Ask:
    """A question that may be answered after who asked has left."""

    def __init__(self, take: Callable[[], Taken], late: Callable[[Taken], None]) -> None:
        """`late` is told of an answer that nobody waits for any more, on the thread it came on."""
        self._take, self._late = take, late
        self._taken: Taken | None = None
        self._left = False
        self._lock = Lock()

    def answer(self) -> Taken:
        """On a worker thread."""
        taken = self._take()
        with self._lock:
            self._taken = taken
            left = self._left
        if left:
            self._late(taken)
        return taken

    def leave(self) -> Taken | None:
        """Nobody waits any more; the answer that came in this very moment, if one did."""
        with self._lock:
            self._left = True
            return self._taken
