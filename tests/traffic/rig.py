"""A gate and calls that pass it, with what each was told while it waited."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from fanout.endpoint import Endpoint
from fanout.policies import EndpointPolicy, HoldReason
from fanout.traffic.gate import EndpointGate
from fanout.types import EndpointId, Failure, FailureKind, RunId, Usage

DOWN = Failure(kind=FailureKind.SERVER, message="It is down.", retryable=True)
LIMITED = Failure(kind=FailureKind.RATE_LIMIT, message="Too many.", retryable=True)


def endpoint(slots: int = 8, policy: EndpointPolicy | None = None) -> Endpoint:
    return Endpoint(
        id=EndpointId("cloud"),
        name="Cloud",
        base_url="https://api.example.com/v1",
        slots=slots,
        policy=policy or EndpointPolicy(),
    )


def limited_to(seconds: float) -> Failure:
    return Failure(kind=FailureKind.RATE_LIMIT, message="Too many.", retry_after_s=seconds)


@dataclass(eq=False, kw_only=True)
class Call:
    """One call; it answers when it is told to."""

    gate: EndpointGate
    run: str = "run"
    tokens: int = 10
    told: list[tuple[HoldReason, float | None]] = field(default_factory=list)
    through: anyio.Event = field(default_factory=anyio.Event)
    waits: anyio.Event = field(default_factory=anyio.Event)
    answer: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    at_s: float = 0.0

    async def go(self) -> None:
        with self.scope:
            async with self.gate.admit(
                run=RunId(self.run), model="m", tokens=self.tokens, held=self.held
            ) as permit:
                self.at_s = anyio.current_time()
                self.through.set()
                await self.answer.wait()
                permit.succeeded(Usage(input=1, output=1))

    def held(self, reason: HoldReason, seconds: float | None) -> None:
        self.told.append((reason, seconds))
        self.waits.set()

    @property
    def reasons(self) -> list[HoldReason]:
        return [reason for reason, _ in self.told]


async def fail(gate: EndpointGate, failure: Failure) -> None:
    """One request that ends with that failure."""
    async with gate.admit(run=RunId("run"), model="m", tokens=10, held=ignore) as permit:
        permit.failed(failure)


async def succeed(gate: EndpointGate, *, first_token_s: float = 0.1) -> None:
    async with gate.admit(run=RunId("run"), model="m", tokens=10, held=ignore) as permit:
        permit.first_token(first_token_s)
        permit.succeeded(Usage(input=1, output=1))


def ignore(_reason: HoldReason, _seconds: float | None) -> None:
    pass
