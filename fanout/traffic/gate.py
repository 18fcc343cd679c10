"""The way to one endpoint: every call of this process passes here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from fanout.policies import Hedging, HoldReason, RateFacts
from fanout.types import Failure, RunId, Usage

Held = Callable[[HoldReason, float | None], None]


class Pass:
    """One request that was let through."""

    def opened(self, rates: RateFacts) -> None: ...

    def first_token(self, after_s: float) -> None: ...

    def succeeded(self, usage: Usage) -> None: ...

    def failed(self, failure: Failure, rates: RateFacts | None = None) -> None: ...

    def release(self) -> None: ...


class EndpointGate:
    """So many calls at once; implements `kernel.calls.Gate`."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._slots = anyio.CapacityLimiter(slots)

    @asynccontextmanager
    async def admit(
        self, *, run: RunId, model: str, tokens: int, held: Held
    ) -> AsyncIterator[Pass]:
        async with self._slots:
            yield Pass()

    def gave_up(self, failure: Failure) -> None: ...

    def late_after_s(self, model: str, hedging: Hedging) -> float | None:
        return None

    def hedge(self, *, model: str, tokens: int, hedging: Hedging) -> Pass | None:
        return None
