"""An endpoint's rates in the place that processes share, asked from the engine's loop.

What is settled is owed until the next chance to pay, so that nothing on the loop waits for a
server. While the place can't be reached this process keeps its own count, which always goes along.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock

import anyio
from anyio.to_thread import run_sync

from fanout.traffic.lane import Lane, OutOfReach, Taken, wall_ms
from fanout.traffic.quota import Limits, Reserved

AGAIN_S = 5.0
"""A place that can't be reached is tried again after this."""
PAY_S = 3.0
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
        try:
            taken = await run_sync(self._take, limits, tokens)
        except OutOfReach as error:
            self._missed(error)
            return None
        self.problem = ""
        return taken

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
        with anyio.CancelScope(shield=True), anyio.move_on_after(PAY_S):
            try:
                await run_sync(self._pay, abandon_on_cancel=True)
            except OutOfReach as error:
                self._missed(error)

    def _take(self, limits: Limits, tokens: int) -> Taken:
        if self._lifted:
            self._lane.lift()
            self._lifted = False
        return self._lane.take(limits, tokens)

    def _owe(self, debt: Callable[[], None]) -> None:
        if len(self._owed) < MOST_OWED:
            self._owed.append(debt)

    def _pay(self) -> None:
        """One after another, so that what can't be paid now is still owed."""
        with self._paying:
            while self._owed:
                self._owed[0]()
                del self._owed[0]

    def _missed(self, error: OutOfReach) -> None:
        self.problem = str(error)
        self._again_ms = wall_ms() + int(self._again_s * 1000)
