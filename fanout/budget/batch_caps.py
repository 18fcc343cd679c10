"""What batches may spend, as looked up lately, so that a call without a cap needs no transaction.

Only whether there is a cap at all is taken from here: each claim reads the cap itself in its own
transaction, so one that is raised counts at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from anyio.to_thread import run_sync

from fanout.errors import StoreError
from fanout.policies import Budget

LATELY_S = 1.0


class BatchCaps:
    """Used on the engine's loop."""

    def __init__(
        self,
        look_up: Callable[[str], Budget] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look_up` may take its time and raise StoreError; None: there are no batches."""
        self._look_up = look_up
        self._clock = clock
        self._seen: dict[str, tuple[float, Budget]] = {}

    async def lately(self, batch: str) -> Budget:
        """At most `LATELY_S` old, or while the database is away, what was seen last; StoreError
        where nothing ever was."""
        if self._look_up is None:
            return Budget()
        known = self._seen.get(batch)
        if known is not None and self._clock() < known[0] + LATELY_S:
            return known[1]
        try:
            cap = await run_sync(self._look_up, batch)
        except StoreError:
            if known is None:
                raise
            return known[1]
        self._forget_others()
        self._seen[batch] = (self._clock(), cap)
        return cap

    def _forget_others(self) -> None:
        """Batches come and go in a process that lives for weeks."""
        if len(self._seen) > 100:
            self._seen.clear()
