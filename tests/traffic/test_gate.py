"""Before the gate: turns, slots, pauses and rates; who leaves takes nothing along."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest
from anyio.lowlevel import checkpoint
from anyio.to_thread import run_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.errors import ProviderError
from fanout.policies import EndpointPolicy, HoldReason, RateFacts
from fanout.traffic.gate import EndpointGate
from fanout.types import FailureKind, RunId, Usage
from tests.traffic.rig import Call, endpoint, fail, ignore, limited_to, succeed

SLOT, RATE, PAUSE = HoldReason.SLOT, HoldReason.RATE, HoldReason.PAUSE


async def test_runs_take_turns_and_a_run_of_three_is_not_behind_a_run_of_a_hundred() -> None:
    gate, order = EndpointGate(endpoint(slots=1)), []

    async def call(run: str) -> None:
        async with gate.admit(run=RunId(run), model="m", tokens=1, held=ignore):
            order.append(run)
            await checkpoint()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(call, "big")
            await checkpoint()
            for _ in range(3):
                tasks.start_soon(call, "small")
    assert len(order) == 103
    assert max(n for n, run in enumerate(order) if run == "small") < 10


async def test_who_waits_for_a_slot_is_told_once_and_who_doesnt_is_told_nothing() -> None:
    gate = EndpointGate(endpoint(slots=1))
    calls = [Call(gate=gate) for _ in range(3)]
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for call in calls:
                tasks.start_soon(call.go)
            for call in calls:
                await call.through.wait()
                call.answer.set()
    assert [call.told for call in calls] == [[], [(SLOT, None)], [(SLOT, None)]]


async def test_the_slot_of_one_who_left_goes_on_to_the_next() -> None:
    gate = EndpointGate(endpoint(slots=1))
    first, second, third = (Call(gate=gate) for _ in range(3))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for call in (first, second, third):
                tasks.start_soon(call.go)
            await first.through.wait()
            await checkpoint()
            # In the same moment: the slot is on its way to the second when the second leaves.
            first.answer.set()
            second.scope.cancel()
            await third.through.wait()
            third.answer.set()
    assert not second.through.is_set()
    assert gate.health().in_flight == gate.health().waiting == 0


@settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 4),
    calls=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.integers(0, 12)), max_size=25
    ),
)
def test_whoever_leaves_when_all_others_get_through_and_never_more_than_the_slots(
    slots: int, calls: list[tuple[str, int, int]]
) -> None:
    async def main() -> None:
        gate, inside, through = EndpointGate(endpoint(slots=slots)), 0, 0

        async def go(run: str, work: int, scope: anyio.CancelScope) -> None:
            nonlocal inside, through
            with scope:
                async with gate.admit(run=RunId(run), model="m", tokens=1, held=ignore):
                    inside += 1
                    assert inside <= slots
                    try:
                        for _ in range(work):
                            await checkpoint()
                    finally:
                        inside -= 1
                through += 1

        async def leave(after: int, scope: anyio.CancelScope) -> None:
            for _ in range(after):
                await checkpoint()
            scope.cancel()

        stay = 0
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for run, work, leaves in calls:
                    scope = anyio.CancelScope()
                    tasks.start_soon(go, run, work, scope)
                    if leaves < 8:
                        tasks.start_soon(leave, leaves, scope)
                    else:
                        stay += 1
        assert through >= stay
        assert gate.health().in_flight == gate.health().waiting == 0

    anyio.run(main)


async def test_one_limited_call_makes_every_call_wait() -> None:
    gate = EndpointGate(endpoint())
    began_s = anyio.current_time()
    await fail(gate, limited_to(0.2))
    calls = [Call(gate=gate, run=run) for run in ("a", "b", "c")]
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for call in calls:
                call.answer.set()
                tasks.start_soon(call.go)
    assert all(call.at_s - began_s >= 0.2 for call in calls)
    assert {call.reasons[0] for call in calls} == {PAUSE}
    assert all(0 < (call.told[0][1] or 0) <= 0.2 for call in calls)


async def test_who_waits_is_told_again_when_it_waits_for_something_else() -> None:
    gate = EndpointGate(endpoint(slots=2))
    waits = Call(gate=gate)
    first = Call(gate=gate)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.go)
            await first.through.wait()
            async with gate.admit(run=RunId("x"), model="m", tokens=1, held=ignore) as permit:
                tasks.start_soon(waits.go)
                await anyio.wait_all_tasks_blocked()
                permit.failed(limited_to(0.1))
                await anyio.wait_all_tasks_blocked()
            # The pause over, only one may be under way, and that is the first.
            await anyio.sleep(0.15)
            assert waits.reasons == [SLOT, PAUSE, SLOT]
            first.answer.set()
            await waits.through.wait()
            waits.answer.set()


async def test_a_wait_that_is_too_long_fails_at_once_and_says_when() -> None:
    gate = EndpointGate(endpoint())
    await fail(gate, limited_to(900.0))
    with pytest.raises(ProviderError) as caught:
        await succeed(gate)
    failure = caught.value.failure
    assert failure.kind is FailureKind.RATE_LIMIT
    assert "Cloud takes no request for another 15 min" in failure.message
    assert failure.retry_after_s is not None and not failure.retryable


@pytest.mark.parametrize("asked_s", [900.0, 30.0])
async def test_who_will_not_wait_has_the_endpoint_tried_now(asked_s: float) -> None:
    gate, waits = EndpointGate(endpoint()), asked_s == 30.0
    await fail(gate, limited_to(asked_s))
    call = Call(gate=gate)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            if waits:
                tasks.start_soon(call.go)
                await call.waits.wait()
            await run_sync(gate.try_now)
            if not waits:
                tasks.start_soon(call.go)
            await call.through.wait()
            call.answer.set()
    assert gate.health().paused_s == 0


async def test_what_it_said_to_be_used_up_for_a_day_can_be_tried_now() -> None:
    gate = EndpointGate(endpoint())
    async with gate.admit(run=RunId("run"), model="m", tokens=10, held=ignore) as permit:
        permit.opened(RateFacts(requests_limit=5, requests_left=0, requests_reset_s=86_000))
    with pytest.raises(ProviderError, match="24 h"):
        await succeed(gate)
    gate.try_now()
    await succeed(gate)


async def test_an_endpoint_that_names_no_time_is_not_asked_again_at_once() -> None:
    gate = EndpointGate(endpoint())
    await fail(gate, limited_to(0.0))
    assert 0.3 < gate.health().paused_s <= 0.5


async def test_a_limit_halves_what_may_be_under_way_and_successes_bring_it_back() -> None:
    gate = EndpointGate(endpoint(slots=4))
    await fail(gate, limited_to(0.001))
    assert gate.health().allowed == 2
    for _ in range(12):
        await succeed(gate)
    assert gate.health().allowed == 4


async def test_never_more_requests_in_a_minute_than_were_set() -> None:
    policy = EndpointPolicy(requests_per_minute=5)
    gate = EndpointGate(endpoint(policy=policy), minute_s=0.5)
    calls = [Call(gate=gate, run=str(number % 3)) for number in range(13)]
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for call in calls:
                call.answer.set()
                tasks.start_soon(call.go)
    times = sorted(call.at_s for call in calls)
    # A call's own clock is read a moment after it was let through.
    assert all(later - earlier >= 0.48 for earlier, later in zip(times, times[5:], strict=False))
    assert [call.reasons for call in calls if call.told] == [[RATE]] * 8


async def test_tokens_are_reserved_at_the_most_and_settled_with_what_was_used() -> None:
    policy = EndpointPolicy(tokens_per_minute=1000)
    gate = EndpointGate(endpoint(policy=policy))
    async with gate.admit(run=RunId("a"), model="m", tokens=900, held=ignore) as permit:
        assert gate.health().tokens.left == 100
        permit.succeeded(Usage(input=100, output=50))
        assert gate.health().tokens.left == 850
    assert gate.health().tokens.left == 850


async def test_a_wait_that_was_cancelled_spends_nothing() -> None:
    policy = EndpointPolicy(requests_per_minute=2, tokens_per_minute=1000)
    gate = EndpointGate(endpoint(policy=policy))
    call = Call(gate=gate, tokens=600)
    async with (
        gate.admit(run=RunId("a"), model="m", tokens=600, held=ignore),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(call.go)
        await anyio.wait_all_tasks_blocked()
        assert call.reasons == [RATE]
        call.scope.cancel()
        await anyio.wait_all_tasks_blocked()
        health = gate.health()
        assert (health.requests.left, health.tokens.left, health.waiting) == (1, 400, 0)


async def test_a_request_that_was_let_through_counts_and_its_tokens_dont_if_it_said_nothing() -> (
    None
):
    policy = EndpointPolicy(requests_per_minute=5, tokens_per_minute=1000)
    gate = EndpointGate(endpoint(policy=policy))
    async with gate.admit(run=RunId("a"), model="m", tokens=600, held=ignore):
        pass
    health = gate.health()
    assert (health.requests.left, health.tokens.left) == (4, 1000)


async def test_more_tokens_than_the_limit_has_go_alone_and_dont_hang() -> None:
    gate = EndpointGate(endpoint(policy=EndpointPolicy(tokens_per_minute=100)))
    with anyio.fail_after(2):
        async with gate.admit(run=RunId("a"), model="m", tokens=5000, held=ignore):
            assert gate.health().tokens.left == 0


async def test_nothing_goes_before_the_endpoints_own_reset() -> None:
    gate = EndpointGate(endpoint())
    async with gate.admit(run=RunId("a"), model="m", tokens=10, held=ignore) as permit:
        permit.opened(RateFacts(requests_limit=60, requests_left=0, requests_reset_s=0.2))
        opened_s = anyio.current_time()
        permit.succeeded(Usage(input=1, output=1))
    call = Call(gate=gate)
    call.answer.set()
    with anyio.fail_after(2):
        await call.go()
    assert call.at_s - opened_s >= 0.2
    assert call.reasons == [RATE]


async def test_limits_are_learnt_from_a_refusal_too_and_a_person_knows_better() -> None:
    gate = EndpointGate(endpoint(policy=EndpointPolicy(requests_per_minute=3)))
    facts = RateFacts(requests_limit=60, tokens_limit=9000)
    async with gate.admit(run=RunId("a"), model="m", tokens=10, held=ignore) as permit:
        permit.failed(limited_to(0.001), facts)
    health = gate.health()
    assert (health.requests.limit, health.requests.source) == (3, "set")
    assert (health.tokens.limit, health.tokens.source) == (9000, "learnt")


async def test_other_slots_and_rates_count_at_once_and_nobody_who_waits_is_forgotten() -> None:
    before = endpoint(slots=1, policy=EndpointPolicy(requests_per_minute=1))
    gate = EndpointGate(before)
    first, second = Call(gate=gate), Call(gate=gate)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.go)
            tasks.start_soon(second.go)
            await anyio.wait_all_tasks_blocked()
            # As a page does it, from another thread.
            await run_sync(gate.reshape, replace(before, slots=2, policy=EndpointPolicy()))
            await second.through.wait()
            first.answer.set()
            second.answer.set()
    assert gate.health().calls == 2


async def test_a_gate_is_changed_after_its_loop_has_ended() -> None:
    gate = EndpointGate(endpoint(slots=1))

    def another_life() -> None:
        anyio.run(succeed, gate)

    await run_sync(another_life)
    gate.reshape(endpoint(slots=5))
    assert gate.slots == 5
