"""What a thread makes for a task, undone where the task has left meanwhile.

asyncio's own cancellation (`wait_for`, `timeout`, a server whose client hung up) stops at no shield
of anyio's: the task leaves and the thread goes on. What it makes then has no owner but itself.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, TypeVar

from anyio import CancelScope
from anyio.to_thread import run_sync

Made = TypeVar("Made")


async def handed_over(make: Callable[[], Made], undo: Callable[[Made], object]) -> Made:
    """What `make` returns on a thread. Cancelled at any moment, `undo` is called with it, on a
    thread too, unless it was handed over."""
    one = _Handover(make, undo)
    try:
        return await run_sync(one.make)
    except BaseException:
        one.leave()
        raise


async def done_anyway(act: Callable[[], object]) -> None:
    """Wait for what is done on a thread; cancelled, it is done all the same. `act` may be called
    twice."""
    try:
        with CancelScope(shield=True):
            await run_sync(act)
    except BaseException:
        # It may not even have begun.
        Thread(target=act, name="fanout-undo").start()
        raise


class _Handover(Generic[Made]):
    """Under its lock it is settled who has what was made: the task or nobody."""

    def __init__(self, make: Callable[[], Made], undo: Callable[[Made], object]) -> None:
        self._make = make
        self._undo = undo
        self._lock = Lock()
        self._left = False
        self._made: list[Made] = []

    def make(self) -> Made:
        made = self._make()
        with self._lock:
            if not self._left:
                self._made.append(made)
                return made
        self._undo(made)
        return made

    def leave(self) -> None:
        with self._lock:
            self._left = True
        for made in self._made:
            # Not awaited: whoever cancels doesn't wait.
            Thread(target=self._undo, args=(made,), name="fanout-undo").start()
