"""Waits that grow while a provider fails, and when that has gone on for too long."""

from __future__ import annotations

import anyio

from fanout.engine.collecting import Collecting
from fanout.types import Failure


class Patience:
    """Begins when it is made."""

    def __init__(self, pace: Collecting) -> None:
        self._pace = pace
        self._pause_s = pace.again_s
        self._until = anyio.current_time() + pace.give_up_s
        self.tries = 0

    @property
    def over(self) -> bool:
        return anyio.current_time() >= self._until

    async def wait(self, failure: Failure | None) -> None:
        self.tries += 1
        asked = 0.0 if failure is None else failure.retry_after_s or 0.0
        await anyio.sleep(max(asked, self._pause_s))
        self._pause_s = min(2 * self._pause_s, self._pace.longest_again_s)
