"""Second requests: only where the first is late, a slot is free, and within their share."""

from __future__ import annotations

import anyio

from fanout.policies import EndpointPolicy, Hedging
from fanout.traffic.gate import EndpointGate
from fanout.types import Usage
from tests.traffic.rig import DOWN, Call, endpoint, fail, limited_to, succeed

ON = Hedging(enabled=True, least_s=0.5)


async def warm(gate: EndpointGate, calls: int = 20) -> EndpointGate:
    for _ in range(calls):
        await succeed(gate, first_token_s=2.0)
    return gate


def hedged(gate: EndpointGate) -> bool:
    permit = gate.hedge(model="m", tokens=10, hedging=ON)
    if permit is not None:
        permit.release()
    return permit is not None


async def test_late_is_the_models_own_quantile_once_there_are_twenty() -> None:
    gate = await warm(EndpointGate(endpoint()), 19)
    assert gate.late_after_s("m", ON) is None
    await succeed(gate, first_token_s=9.0)
    assert gate.late_after_s("m", ON) == 2.0
    assert gate.late_after_s("m", Hedging(least_s=5.0)) == 5.0
    assert gate.late_after_s("other", ON) is None


async def test_at_most_one_call_in_twenty_is_hedged() -> None:
    gate = await warm(EndpointGate(endpoint()), 19)
    assert not hedged(gate)
    sent = 0
    for _ in range(81):
        await succeed(gate)
        sent += hedged(gate)
    health = gate.health()
    assert sent == health.hedges == 5
    assert health.calls == 100


async def test_nothing_is_hedged_where_no_slot_is_free_or_somebody_waits() -> None:
    gate = await warm(EndpointGate(endpoint(slots=1)))
    first, waits = Call(gate=gate), Call(gate=gate)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.go)
        await first.through.wait()
        assert not hedged(gate)
        tasks.start_soon(waits.go)
        await anyio.wait_all_tasks_blocked()
        gate.reshape(endpoint(slots=2))
        await waits.through.wait()
        assert not hedged(gate)
        first.answer.set()
        waits.answer.set()
    assert hedged(gate)


async def test_nothing_is_hedged_while_the_endpoint_pauses_or_is_left_alone() -> None:
    paused = await warm(EndpointGate(endpoint()))
    await fail(paused, limited_to(30.0))
    assert not hedged(paused)
    broken = await warm(EndpointGate(endpoint(policy=EndpointPolicy(circuit_failures=1))))
    broken.gave_up(DOWN)
    assert not hedged(broken)


async def test_a_hedge_counts_towards_the_rate_and_is_refused_where_it_is_used_up() -> None:
    gate = await warm(EndpointGate(endpoint(policy=EndpointPolicy(requests_per_minute=41))), 40)
    assert hedged(gate)
    assert gate.health().requests.left == 0
    assert not hedged(gate)


async def test_a_hedge_that_answered_has_won_and_holds_its_slot_until_it_ended() -> None:
    gate = await warm(EndpointGate(endpoint()))
    permit = gate.hedge(model="m", tokens=10, hedging=ON)
    assert permit is not None
    assert gate.health().in_flight == 1
    permit.first_token(0.3)
    permit.succeeded(Usage(input=1, output=1))
    permit.release()
    permit.release()
    health = gate.health()
    assert (health.in_flight, health.hedges, health.hedges_won) == (0, 1, 1)
