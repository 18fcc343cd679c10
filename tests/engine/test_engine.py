"""The front door: runs outlive those who look at them, slots are shared, closing ends all."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from fanout.endpoint import Endpoint
from fanout.errors import InputError
from fanout.fold import apply, begin
from fanout.providers.script import Fault, Reply
from fanout.record import event_record, run_record
from fanout.types import BranchState, FailureKind, Price, RunStatus
from tests.rig import HERE, QUICK, rig, script, trio

SLOW = Reply(text="word " * 60, tokens_per_s=200)


def test_branches_run_at_the_same_time() -> None:
    with rig(script(otherwise=SLOW)) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            if all(b.state is BranchState.WRITING for b in handle.snapshot.branches):
                break
        else:
            pytest.fail("the branches never wrote at the same time")


def test_an_endpoint_is_never_asked_more_at_once_than_it_has_slots() -> None:
    most = 0
    with rig(script(otherwise=Reply(text="a b c d", tokens_per_s=200)), slots=2) as here:
        names = [f"part{i}" for i in range(8)]
        handles = [here.start(trio(names)) for _ in range(2)]
        for _ in handles[0].follow():
            most = max(most, here.provider.streaming)
            assert here.provider.streaming <= 2
        snapshot = handles[1].wait(timeout_s=20)
    assert most == 2
    queued = [b.spent_s(BranchState.QUEUED, snapshot.at) for b in snapshot.branches]
    assert max(queued) > 0.02, "branches over the limit waited in the queue"


def test_anybody_with_the_id_finds_the_run_and_sees_the_same() -> None:
    with rig(script(otherwise=SLOW)) as here:
        handle = here.start(trio())
        seen: list[int] = []
        watchers = [
            threading.Thread(target=lambda: seen.append(sum(1 for _ in handle.follow())))
            for _ in range(3)
        ]
        for watcher in watchers:
            watcher.start()
        for watcher in watchers:
            watcher.join(timeout=10)
        assert seen == [len(handle.events)] * 3
        assert here.engine.get(handle.id) is handle
        assert here.engine.get("nobody") is None


def test_the_log_folds_to_the_snapshot() -> None:
    with rig(script(poem=(Reply(status=500), QUICK))) as here:
        handle = here.start(trio())
        snapshot = handle.wait(timeout_s=10)
    first, *rest = handle.events
    folded = begin(first)  # type: ignore[arg-type]
    for event in rest:
        folded = apply(folded, event)
    assert folded == snapshot


def test_closing_the_engine_interrupts_runs_and_ends_connections() -> None:
    with rig(script(otherwise=Reply(fault=Fault.STALL_FIRST))) as here:
        handle = here.start(trio())
    assert handle.snapshot.status is RunStatus.INTERRUPTED
    assert here.provider.streaming == 0


def test_an_empty_topic_starts_nothing() -> None:
    with rig(script()) as here:
        with pytest.raises(InputError):
            here.start(trio(), topic="  ")
        assert here.engine.runs() == ()


def test_an_own_price_is_used_and_kept_with_the_run() -> None:
    price = Price(input=Decimal(2), output=Decimal(10), source="your own price")
    with rig(script()) as here:
        here.engine.endpoints.put(Endpoint(id=HERE, name="Here", base_url="", prices={"*": price}))
        handle = here.start(trio())
        snapshot = handle.wait(timeout_s=10)
    for call in snapshot.calls:
        assert call.cost is not None and call.usage is not None
        expected = (call.usage.input * 2 + call.usage.output * 10) / Decimal(1_000_000)
        assert call.cost.usd == expected
        assert call.cost.price == price
    record = run_record(snapshot, handle.now_s())
    assert record["cost_usd"] == pytest.approx(
        float(sum(c.cost.usd for c in snapshot.calls if c.cost))
    )


def test_an_unknown_price_is_unknown_and_never_zero() -> None:
    with rig(script()) as here:
        handle = here.start(trio())
        snapshot = handle.wait(timeout_s=10)
    assert all(call.cost is None for call in snapshot.calls)
    assert run_record(snapshot, handle.now_s())["cost_usd"] is None


def test_a_model_on_this_machine_is_free() -> None:
    with rig(script(), on_this_machine=True) as here:
        handle = here.start(trio())
        snapshot = handle.wait(timeout_s=10)
    assert run_record(snapshot, handle.now_s())["cost_usd"] == 0


def test_usage_that_nobody_reported_is_estimated_and_marked() -> None:
    with rig(script(poem=Reply(text="a b c d e", fault=Fault.NO_USAGE))) as here:
        snapshot = here.run(trio())
    marks = [branch.usage.estimated for branch in snapshot.branches if branch.usage]
    assert marks == [False, False, True]


def test_a_refused_call_costs_nothing_and_a_lost_one_is_estimated() -> None:
    lost = Reply(text="a b c d e", fault=Fault.DROPPED)
    with rig(script(joke=Reply(status=401), poem=lost)) as here:
        snapshot = here.run(trio())
    joke, _, poem = snapshot.branches
    assert joke.usage is not None and (joke.usage.input, joke.usage.output) == (0, 0)
    assert poem.usage is not None and poem.usage.estimated and poem.usage.output > 0


def test_the_record_has_exactly_the_fields_of_the_contract() -> None:
    with rig(script(poem=Reply(status=401))) as here:
        handle = here.start(trio())
        record = run_record(handle.wait(timeout_s=10), handle.now_s())
    assert {
        "run_id",
        "workflow",
        "topic",
        "status",
        "wall_s",
        "sequential_s",
        "cost_usd",
        "branches",
        "aggregate",
    } <= record.keys()
    branches = record["branches"]
    assert isinstance(branches, list)
    fields = {
        "id",
        "title",
        "status",
        "text",
        "queued_s",
        "first_token_s",
        "finished_s",
        "attempts",
        "usage",
        "cost_usd",
        "failure",
    }
    assert all(fields <= branch.keys() for branch in branches)
    assert branches[2]["failure"]["kind"] == FailureKind.AUTH
    assert branches[0]["usage"].keys() == {"input", "output", "cached"}
    aggregate = record["aggregate"]
    assert isinstance(aggregate, dict)
    assert aggregate["used"] == ["joke", "story"]
    assert aggregate["heading"] == "Synthesis of 2 of 3: Poem failed"
    assert event_record(handle.events[0])["event"] == "run_started"


def test_sequential_time_is_the_sum_of_the_calls_own_times() -> None:
    with rig(script(otherwise=SLOW), slots=1) as here:
        handle = here.start(trio())
        snapshot = handle.wait(timeout_s=20)
    record = run_record(snapshot, handle.now_s())
    own = sum(call.own_s(snapshot.at) for call in snapshot.calls)
    assert record["sequential_s"] == pytest.approx(own, abs=0.001)
    assert own == pytest.approx(snapshot.wall_s(0), rel=0.1), "with one slot nothing is gained"
