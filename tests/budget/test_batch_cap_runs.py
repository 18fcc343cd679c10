"""Rows carried out by real engines under their batch's budget, and on when it is raised."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.batch.measures import row_result, stopped_by_budget
from fanout.batches import NewBatch, Row, RowState
from fanout.engine.engine import Engine
from fanout.policies import Budget
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import BatchId, BranchState, FailureKind, RowPlace, RunStatus
from tests.budget.test_runs import MODEL, engine, workflow

CAP = Budget(usd=Decimal("0.0105"))
"""Room for the worst case of two of four calls at once, and for what two of them take."""


@pytest.fixture(scope="module")
def server() -> Iterator[ServerHandle]:
    wordy = Rule(prompt="wordy", replies=(Reply(text="word " * 400),))
    with serving(Script(rules=(wordy,), otherwise=Reply(text="Four words."))) as handle:
        yield handle


@pytest.fixture
def stores(fanout_home: Path) -> Iterator[tuple[Store, Store]]:
    with Store.open(fanout_home) as one, Store.open(fanout_home) as other:
        yield one, other


def batch(store: Store, budget: Budget) -> BatchId:
    new = NewBatch(title="B", workflow="t", definition={}, model=MODEL, budget=budget)
    return store.batches.create(new, [Row(number=n, topic="rain") for n in (1, 2)])


def done(running: Engine, made: BatchId, number: int, topic: str = "wordy things") -> Snapshot:
    place = RowPlace(batch=made, number=number)
    return running.start(workflow({}), topic, MODEL, row=place).wait(timeout_s=30)


def test_what_does_not_fit_into_the_batch_is_left_out_and_asked_once_it_does(
    server: ServerHandle, stores: tuple[Store, Store]
) -> None:
    made = batch(stores[0], CAP)
    with engine(server, stores[0]) as running:
        place = RowPlace(batch=made, number=1)
        handle = running.start(workflow({}), "wordy things", MODEL, row=place)
        snapshot = handle.wait(timeout_s=30)
        failure = stopped_by_budget(snapshot)
        assert failure is not None
        assert "of the batch's $0.0105 is left" in failure.message
        result = row_result(snapshot)
        assert (result.state, result.cause) == (RowState.PARTIAL, FailureKind.BUDGET)
        assert result.failed == 2
        answered = [b.attempts for b in snapshot.branches if b.state is BranchState.DONE]
        assert len(answered) == 2
        meter = running.budgets.batch(made)
        assert Decimal(0) < meter.taken.all.usd <= Decimal("0.0105")

        stores[1].batches.change(made, budget=Budget(usd=Decimal(1)))
        assert handle.resume()
        snapshot = handle.wait(timeout_s=30)
        assert snapshot.status is RunStatus.SUCCEEDED
        assert stopped_by_budget(snapshot) is None
        assert sum(go.attempts for go in snapshot.goes) == 4, "what was answered is kept"
        spent = running.budgets.batch(made).taken.spent.usd
        assert spent == row_cost(snapshot) == running.budgets.today().taken.everyone.spent.usd


def test_two_workers_share_the_budget_of_a_batch(
    server: ServerHandle, stores: tuple[Store, Store]
) -> None:
    made = batch(stores[0], CAP)
    with engine(server, stores[0]) as one, engine(server, stores[1]) as other:
        first, second = done(one, made, 1), done(other, made, 2)
        assert first.status is RunStatus.PARTIAL
        assert second.status is RunStatus.FAILED
        bill = row_cost(first) + row_cost(second)
        assert bill <= Decimal("0.0105")
        assert one.budgets.batch(made).taken.spent.usd == bill


def test_rows_that_fit_one_after_another_wait_for_each_other(
    server: ServerHandle, stores: tuple[Store, Store]
) -> None:
    """The worst case of two calls fits at once; what they really take leaves room for all."""
    made = batch(stores[0], CAP)
    with engine(server, stores[0]) as running:
        handles = [
            running.start(workflow({}), "rain", MODEL, row=RowPlace(batch=made, number=number))
            for number in (1, 2)
        ]
        for handle in handles:
            assert handle.wait(timeout_s=30).status is RunStatus.SUCCEEDED


def row_cost(snapshot: Snapshot) -> Decimal:
    cost = row_result(snapshot).cost
    return Decimal(0) if cost is None else cost.usd
