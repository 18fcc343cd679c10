"""An endpoint that fails again and again is left alone; one call tries, and says so for all."""

from __future__ import annotations

import anyio
import pytest

from fanout.errors import ProviderError
from fanout.policies import EndpointPolicy, HoldReason
from fanout.traffic.circuit import CircuitState
from fanout.traffic.gate import EndpointGate
from fanout.types import Failure, FailureKind, RunId
from tests.traffic.rig import DOWN, Call, endpoint, fail, ignore, succeed

QUICK = EndpointPolicy(circuit_failures=2, circuit_s=0.1)


def opened(policy: EndpointPolicy = QUICK) -> EndpointGate:
    gate = EndpointGate(endpoint(policy=policy))
    for _ in range(policy.circuit_failures):
        gate.gave_up(DOWN)
    return gate


async def refused(gate: EndpointGate) -> Failure:
    with pytest.raises(ProviderError) as caught:
        await succeed(gate)
    return caught.value.failure


async def test_an_open_circuit_fails_at_once_and_says_whom_it_spares_and_until_when() -> None:
    gate = opened(EndpointPolicy(circuit_failures=3, circuit_s=20.0))
    failure = await refused(gate)
    assert failure.kind is FailureKind.SERVER
    assert not failure.retryable
    assert failure.message.startswith("Cloud failed 3 times in a row")
    assert "in 20 s" in failure.message
    health = gate.health()
    assert health.circuit is CircuitState.OPEN
    assert 19 < health.circuit_s <= 20
    assert (health.failures_in_a_row, health.calls) == (3, 0)


async def test_who_waits_when_it_opens_fails_too() -> None:
    gate = EndpointGate(endpoint(slots=1, policy=EndpointPolicy(circuit_failures=1)))
    first, second, third = (Call(gate=gate) for _ in range(3))
    failures: list[Failure] = []

    async def go(call: Call) -> None:
        try:
            await call.go()
        except ProviderError as error:
            failures.append(error.failure)

    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks:
            for call in (first, second, third):
                tasks.start_soon(go, call)
            await anyio.wait_all_tasks_blocked()
            gate.gave_up(DOWN)
            await anyio.wait_all_tasks_blocked()
            assert len(failures) == 2
            first.answer.set()


async def test_one_call_tries_and_its_success_lets_all_through_again() -> None:
    gate = opened(EndpointPolicy(circuit_failures=2, circuit_s=1.0))
    gate.try_now()
    probe = Call(gate=gate)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(probe.go)
        await probe.through.wait()
        others = [Call(gate=gate, run=run) for run in ("run", "run", "another")]
        for other in others:
            other.answer.set()
            tasks.start_soon(other.go)
        await anyio.wait_all_tasks_blocked()
        assert [other.told for other in others] == [[(HoldReason.SLOT, None)]] * 3
        assert gate.health().circuit is CircuitState.PROBING
        probe.answer.set()
    assert gate.health().circuit is CircuitState.CLOSED


async def test_the_first_word_of_the_one_that_tries_lets_the_others_through() -> None:
    gate = opened()
    await anyio.sleep(0.11)
    async with gate.admit(run=RunId("run"), model="m", tokens=1, held=ignore) as permit:
        permit.first_token(0.1)
        with anyio.fail_after(1):
            await succeed(gate)


async def test_a_try_that_takes_long_is_not_waited_for() -> None:
    gate = opened()
    await anyio.sleep(0.11)
    probe = Call(gate=gate)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(probe.go)
        await probe.through.wait()
        for _ in range(2):
            assert "by one call at this moment" in (await refused(gate)).message
        probe.answer.set()


async def test_who_waits_for_a_try_that_fails_is_kept_away_too() -> None:
    gate = opened()
    await anyio.sleep(0.11)
    async with (
        gate.admit(run=RunId("run"), model="m", tokens=1, held=ignore) as permit,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(refused, gate)
        await anyio.wait_all_tasks_blocked()
        permit.failed(DOWN)


async def test_a_try_that_fails_doubles_the_time_and_its_retry_is_kept_away() -> None:
    gate = opened()
    await anyio.sleep(0.11)
    await fail(gate, DOWN)
    kept_away = await refused(gate)
    # As the kernel does with whatever ends a call.
    gate.gave_up(kept_away)
    health = gate.health()
    assert health.circuit_s <= 0.2
    assert health.failures_in_a_row == 3


async def test_a_try_that_was_stopped_leaves_the_try_to_the_next() -> None:
    gate = opened()
    await anyio.sleep(0.11)
    probe = Call(gate=gate)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(probe.go)
        await probe.through.wait()
        probe.scope.cancel()
    await succeed(gate)


async def test_a_wrong_key_says_that_the_endpoint_is_there() -> None:
    gate = opened()
    await anyio.sleep(0.11)
    await fail(gate, Failure(kind=FailureKind.AUTH, message="No such key."))
    assert gate.health().circuit is CircuitState.CLOSED


async def test_one_attempt_that_fails_opens_nothing_since_its_call_may_still_succeed() -> None:
    gate = EndpointGate(endpoint(policy=QUICK))
    for _ in range(5):
        await fail(gate, DOWN)
    assert gate.health().circuit is CircuitState.CLOSED


async def test_who_will_not_wait_lets_the_next_call_try() -> None:
    gate = opened(EndpointPolicy(circuit_failures=2, circuit_s=200.0))
    await refused(gate)
    gate.try_now()
    await succeed(gate)
    assert gate.health().circuit is CircuitState.CLOSED
