"""How one endpoint is doing, as one frozen value for the health panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fanout.traffic.circuit import CircuitState
from fanout.traffic.first_tokens import FirstTokenTimes
from fanout.traffic.flow import Flow
from fanout.traffic.quota import set_limit
from fanout.traffic.tally import Outcome
from fanout.types import EndpointId, FailureKind, RunId

LimitSource: TypeAlias = Literal["set", "learnt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateHealth:
    """Requests or tokens per minute."""

    limit: int | None = None
    """None: no limit is set and the endpoint says none."""
    source: LimitSource | None = None
    """ "learnt" is what the endpoint says; some mean seconds or days by it."""
    left: int | None = None
    """What may still be taken now; None where nothing limits it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """At one moment; counts are those of the last 15 minutes."""

    endpoint: EndpointId
    slots: int
    allowed: int
    """Calls at once that it is given now: fewer than its slots after a rate limit."""
    in_flight: int
    queued: Mapping[RunId, int]
    """Calls that wait, by run; empty where none does."""
    paused_s: float
    """0: not pausing."""
    paused_why: FailureKind | None
    """RATE_LIMIT or SERVER while it is pausing."""
    circuit: CircuitState
    circuit_s: float
    """Seconds until the next try of an open circuit."""
    failures_in_a_row: int
    requests: RateHealth
    tokens: RateHealth
    calls: int
    """Requests sent, hedges not counted."""
    successes: int
    failures: int
    """Rate limits not counted."""
    rate_limited: int
    hedges: int
    hedges_won: int
    first_tokens: tuple[FirstTokenTimes, ...]
    """Of the last 200 calls of each model."""
    shared: str = ""
    """Where rates hold over several processes, such as "Redis"; "" is this process alone."""
    shared_problem: str = ""
    """Why they don't at the moment."""

    @property
    def waiting(self) -> int:
        return sum(self.queued.values())

    @property
    def error_rate(self) -> float | None:
        """Share of ended calls that failed, rate limits not counted; None before any has ended."""
        ended = self.successes + self.failures
        return self.failures / ended if ended else None


def health(flow: Flow, queued: Mapping[RunId, int]) -> EndpointHealth:
    """From any thread: reads numbers, and takes locks only where there is more than one."""
    now_s = flow.now_s()
    policy, learnt, left = flow.quota.policy, flow.quota.learnt, flow.quota.left(now_s)
    counts = flow.tally.counts(now_s)
    paused_s = flow.pause.left_s(now_s)
    elsewhere = flow.elsewhere
    return EndpointHealth(
        endpoint=flow.endpoint.id,
        slots=flow.allowance.slots,
        allowed=flow.allowance.now,
        in_flight=flow.in_flight,
        queued=queued,
        paused_s=paused_s,
        paused_why=flow.pause.why if paused_s > 0 else None,
        circuit=flow.circuit.state,
        circuit_s=flow.circuit.wait_s(now_s),
        failures_in_a_row=flow.circuit.in_a_row,
        requests=_rate(policy.requests_per_minute, learnt.requests, left.requests),
        tokens=_rate(policy.tokens_per_minute, learnt.tokens, left.tokens),
        calls=counts[Outcome.CALL],
        successes=counts[Outcome.SUCCESS],
        failures=counts[Outcome.FAILURE],
        rate_limited=counts[Outcome.LIMITED],
        hedges=counts[Outcome.HEDGE],
        hedges_won=counts[Outcome.HEDGE_WON],
        first_tokens=flow.first_tokens.all(),
        shared=elsewhere.name if elsewhere is not None else "",
        shared_problem=elsewhere.problem if elsewhere is not None else "",
    )


def _rate(set_: int | None, learnt: int | None, left: int | None) -> RateHealth:
    limit = set_limit(set_)
    source: LimitSource | None = "set" if limit else "learnt" if learnt else None
    return RateHealth(limit=limit or learnt, source=source, left=left)
