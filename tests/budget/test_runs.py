"""Whole runs under a budget: what doesn't fit is skipped and says so, and the bill stays below."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.budget.amount import Amount
from fanout.budget.budgets import Budgets, worst_usd_by
from fanout.budget.caps import Caps, DayCaps
from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.policies import Budget, HoldReason
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import BranchState, EndpointId, FailureKind, ModelRef, Price, RunStatus
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

PAID = EndpointId("paid")
MODEL = ModelRef(endpoint=PAID, model="m")
PRICE = Price(input=Decimal(1), output=Decimal(10), source="a test")
SLOW = Reply(text="word " * 400, tokens_per_s=20)
SCRIPT = Script(
    rules=(
        Rule(prompt="wordy", replies=(Reply(text="word " * 400),)),
        Rule(prompt="slow", replies=(SLOW,)),
    ),
    otherwise=Reply(text="Four words, no more."),
)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerHandle]:
    with serving(SCRIPT) as handle:
        yield handle


@pytest.fixture
def store(fanout_home: Path) -> Iterator[Store]:
    with Store.open(fanout_home) as opened:
        yield opened


def engine(server: ServerHandle, store: Store | None, day: Budget | None = None) -> Engine:
    book = EndpointBook(OpenAICompatible)
    book.put(Endpoint(id=PAID, name="Paid", base_url=server.base_url, prices={"*": PRICE}, slots=2))
    budgets = Budgets(
        worst_usd_by(book.known),
        ledger=None if store is None else store.spend,
        caps=Caps(fixed=DayCaps(everyone=day or Budget())),
    )
    return Engine(book, store=store, budgets=budgets)


def workflow(
    budget: dict[str, object], *, branches: int = 4, max_tokens: int | None = 500
) -> Workflow:
    return parse(
        {
            "kind": "sectioning",
            "title": "T",
            "defaults": {} if max_tokens is None else {"max_tokens": max_tokens},
            "policies": {"budget": budget, "retries": {"attempts": 1}},
            "branches": [
                {"id": f"b{number}", "title": f"B {number}", "prompt": "On {topic}"}
                for number in range(branches)
            ],
            "aggregate": {"kind": "concatenation"},
        },
        name="t",
    )


def done(engine: Engine, flow: Workflow, topic: str = "rain") -> Snapshot:
    handle = engine.start(flow, topic, MODEL)
    return handle.wait(timeout_s=20)


def skipped(snapshot: Snapshot) -> list[str]:
    """What the branches that were not asked say."""
    told = []
    for branch in snapshot.branches:
        if branch.state is BranchState.SKIPPED:
            assert branch.failure is not None
            assert branch.failure.kind is FailureKind.BUDGET
            told.append(branch.failure.message)
    return told


def test_a_branch_that_does_not_fit_is_skipped_and_says_what_is_left(server: ServerHandle) -> None:
    with engine(server, None) as running:
        snapshot = done(running, workflow({"usd": "0.0105"}), "wordy things")
        meter = running.budgets.meter(snapshot.run_id)
    told = skipped(snapshot)
    assert len(told) == 2
    assert all("of the run's $0.0105 is left" in message for message in told)
    assert sum(branch.state is BranchState.DONE for branch in snapshot.branches) == 4 - len(told)
    assert snapshot.status is RunStatus.PARTIAL, "the answer lacks what was skipped"
    assert snapshot.aggregate is not None
    assert "skipped" in snapshot.aggregate.heading
    assert "not needed" not in snapshot.aggregate.heading
    assert meter is not None
    assert meter.taken.reserved == Amount()
    assert Decimal(0) < meter.taken.spent.usd <= Decimal("0.0105")


def test_what_the_day_left_out_can_be_asked_again_on_another_day(
    server: ServerHandle, store: Store
) -> None:
    with engine(server, store, Budget(usd=Decimal("0.0105"))) as running:
        handle = running.start(workflow({}), "wordy things", MODEL)
        assert len(skipped(handle.wait(timeout_s=20))) == 2
        running.budgets.caps.fixed = DayCaps()
        assert handle.resume()
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.status is RunStatus.SUCCEEDED


def test_a_branch_that_may_fit_waits_for_what_the_others_leave(server: ServerHandle) -> None:
    """The worst case of two fits at once; what they really took leaves room for all."""
    with engine(server, None) as running:
        snapshot = done(running, workflow({"usd": "0.0105"}))
    assert skipped(snapshot) == []
    waited = [b for b in snapshot.branches if b.held_s(HoldReason.BUDGET, snapshot.at) > 0]
    assert len(waited) == 2


def test_a_run_without_limits_gets_limits_that_keep_it_within_its_tokens(
    server: ServerHandle,
) -> None:
    flow = workflow({"tokens": 3_000}, max_tokens=None)
    with engine(server, None) as running:
        snapshot = done(running, flow, "wordy things")
    used = [b.usage.input + b.usage.output for b in snapshot.branches if b.usage is not None]
    assert used
    assert sum(used) <= 3_000


def test_a_cap_of_the_day_holds_over_runs_and_over_a_restart(
    server: ServerHandle, fanout_home: Path
) -> None:
    day = Budget(usd=Decimal("0.012"))
    spent = Decimal(0)
    for _ in range(3):
        with Store.open(fanout_home) as store, engine(server, store, day) as running:
            snapshot = done(running, workflow({}), "wordy things")
            today = running.budgets.today()
            spent = today.taken.everyone.all.usd
            assert today.taken.everyone.reserved == Amount()
            assert spent <= Decimal("0.012")
    told = skipped(snapshot)
    assert len(told) == 4
    assert "of today's $0.012 is left" in told[0]
    assert spent > Decimal("0.004")


def test_without_a_record_that_lasts_calls_under_a_cap_of_the_day_are_skipped(
    server: ServerHandle,
) -> None:
    with Store.in_memory() as store, engine(server, store, Budget(tokens=10**6)) as running:
        (told, *_) = skipped(done(running, workflow({})))
    assert "can't be looked up now" in told
    assert "take the budget of the day away" in told


def test_a_run_keeps_its_estimate_and_what_it_spent_without_any_cap(
    server: ServerHandle, store: Store
) -> None:
    with engine(server, store) as running:
        snapshot = done(running, workflow({}))
        made = snapshot.made_with
        assert made is not None
        assert made.estimate is not None
        assert made.estimate.output_tokens_most == 2_000
        assert running.budgets.today().taken.everyone.all.tokens > 0
    past = store.estimates.past()
    assert past is not None
    assert past.runs == 1


def test_what_nobody_reported_counts_at_its_worst_after_a_restart_too(
    server: ServerHandle, fanout_home: Path
) -> None:
    with Store.open(fanout_home) as store, engine(server, store) as running:
        handle = running.start(workflow({"usd": "1"}), "slow things", MODEL)
        while not any(branch.text for branch in handle.snapshot.branches):
            handle.wait(timeout_s=0.01)
        handle.stop()
        handle.wait(timeout_s=20)
        before = running.budgets.meter(handle.id)
    with Store.open(fanout_home) as store, engine(server, store) as running:
        assert running.get(handle.id) is not None
        after = running.budgets.meter(handle.id)
    assert before is not None and after is not None
    assert before.taken.spent.usd > Decimal("0.005")
    assert after.taken.spent == before.taken.spent
