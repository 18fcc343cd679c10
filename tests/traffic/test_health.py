"""The health of an endpoint: what a person reads about it while calls pass."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from anyio.to_thread import run_sync

from fanout.policies import EndpointPolicy, RateFacts
from fanout.traffic.circuit import CircuitState
from fanout.traffic.gate import EndpointGate
from fanout.traffic.health import EndpointHealth, RateHealth
from fanout.types import FailureKind, RunId, Usage
from tests.traffic.rig import DOWN, Call, endpoint, fail, ignore, limited_to, succeed


async def test_an_endpoint_that_was_never_asked_is_healthy_and_says_nothing_it_does_not_know() -> (
    None
):
    health = EndpointGate(endpoint(slots=3)).health()
    assert (health.slots, health.allowed, health.in_flight, health.waiting) == (3, 3, 0, 0)
    assert health.circuit is CircuitState.CLOSED
    assert health.error_rate is None
    assert health.requests == health.tokens == RateHealth()
    assert (health.paused_s, health.paused_why, health.shared) == (0.0, None, "")


async def test_who_is_inside_and_who_waits_is_told_by_run() -> None:
    gate = EndpointGate(endpoint(slots=1))
    calls = [Call(gate=gate, run=run) for run in ("a", "a", "b", "a")]
    async with anyio.create_task_group() as tasks:
        for call in calls:
            tasks.start_soon(call.go)
        await anyio.wait_all_tasks_blocked()
        health = gate.health()
        assert (health.in_flight, health.queued, health.waiting) == (1, {"a": 2, "b": 1}, 3)
        for call in calls:
            call.answer.set()


async def test_failures_and_limits_are_counted_apart_and_a_pause_says_why() -> None:
    gate = EndpointGate(endpoint())
    for _ in range(3):
        await succeed(gate)
    await fail(gate, DOWN)
    await fail(gate, limited_to(20.0))
    health = gate.health()
    assert (health.calls, health.successes, health.failures, health.rate_limited) == (5, 3, 1, 1)
    assert health.error_rate == 0.25
    assert health.paused_s == pytest.approx(20.0, abs=1.0)
    assert health.paused_why is FailureKind.RATE_LIMIT
    (times,) = health.first_tokens
    assert (times.model, times.count, times.p50_s, times.p99_s) == ("m", 3, 0.1, 0.1)


async def test_what_the_endpoint_says_is_left_is_told_where_it_is_less_than_our_own_count() -> None:
    gate = EndpointGate(endpoint(policy=EndpointPolicy(requests_per_minute=60)))
    async with gate.admit(run=RunId("a"), model="m", tokens=1, held=ignore) as permit:
        permit.opened(RateFacts(requests_limit=100, requests_left=7, requests_reset_s=30.0))
        permit.succeeded(Usage(input=1, output=1))
    assert gate.health().requests == RateHealth(limit=60, source="set", left=7)


async def test_health_is_read_from_another_thread_while_calls_pass() -> None:
    gate = EndpointGate(endpoint(slots=2))
    seen: list[EndpointHealth] = []

    async def pass_often(run: str) -> None:
        for _ in range(100):
            async with gate.admit(run=RunId(run), model=run, tokens=1, held=ignore) as permit:
                permit.first_token(0.1)
                await anyio.lowlevel.checkpoint()
                permit.succeeded(Usage(input=1, output=1))

    def look() -> None:
        seen.extend(gate.health() for _ in range(200))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_sync, look)
        for run in "abcdef":
            tasks.start_soon(pass_often, run)
    assert all(health.in_flight <= 2 for health in seen)
    assert gate.health().calls == 600
