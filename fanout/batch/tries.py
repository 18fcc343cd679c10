"""Asks the database on a thread, again and again for as long as it doesn't answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, sleep, sleep_forever
from anyio.to_thread import run_sync

from fanout.errors import StoreError

log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
AGAIN_S = 0.5
THREADS = 4
"""Rows that may speak to the database at once."""


class Tries:
    """For all rows of one process."""

    def __init__(self, closing: Callable[[], bool]) -> None:
        self._closing = closing
        self._limiter: CapacityLimiter | None = None

    async def __call__(
        self,
        function: Callable[Parameters, Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """What it returns. Nothing more comes once this process closes and there is no answer."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(THREADS)
        while True:
            try:
                return await run_sync(lambda: function(*args, **kwargs), limiter=self._limiter)
            except StoreError as error:
                log.info("a row waits for the database: %s", error)
                if self._closing():
                    await sleep_forever()
                await sleep(AGAIN_S)
