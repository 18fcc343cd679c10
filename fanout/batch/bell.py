"""Wakes what waits on the durable engine's loop, from any thread.

That loop belongs to DBOS, which is written for asyncio; anyio has no way to ring into a loop
without waiting for the answer, and whoever rings here must never wait.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - see above
from contextlib import suppress


class Bell:
    """Made on the loop where it is waited for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._ringing = False

    def ring(self) -> None:
        """From any thread; many rings before anybody looks are one."""
        if self._ringing:
            return
        self._ringing = True
        with suppress(RuntimeError):
            # The loop is closed: nobody waits any more.
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, at_most_s: float) -> None:
        """Until it has rung since the last time, or time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._rung.wait()
        # In this order: who rings in between is heard the next time.
        self._ringing = False
        self._rung.clear()
