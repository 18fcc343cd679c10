"""Over random schedules on several workers, deaths among them, no batch is ever overspent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.batches import NewBatch, Row
from fanout.budget.amount import Amount
from fanout.budget.budgets import Budgets
from fanout.errors import ProviderError
from fanout.policies import Budget
from fanout.store.store import Store
from fanout.types import BatchId, RunId
from tests.budget.spender import cents
from tests.budget.test_batch_cap import plan
from tests.budget.test_never_overspent import (
    BUDGETS,
    CALLS,
    MODEL,
    Call,
    World,
    all_at_once,
    within,
    worst_usd,
)

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 3


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """On one record, as so many workers have it."""
    home = tmp_path_factory.mktemp("record")
    opened = [Store.open(home) for _ in range(WORKERS)]
    yield opened
    for store in opened:
        store.close()


def batch(store: Store, budget: Budget) -> BatchId:
    new = NewBatch(title="B", workflow="w", definition={}, model=MODEL, budget=budget)
    return store.batches.create(new, [Row(number=1, topic="rain")])


@settings(max_examples=30, deadline=None)
@given(calls=CALLS, own=st.tuples(BUDGETS, BUDGETS, BUDGETS), cap=BUDGETS, dead=st.booleans())
def test_no_batch_is_ever_overspent_by_several_workers(
    stores: list[Store], calls: list[Call], own: tuple[Budget, ...], cap: Budget, dead: bool
) -> None:
    made = batch(stores[0], cap)
    workers = [Budgets(worst_usd, ledger=store.spend) for store in stores]
    left = Amount()
    if dead:
        # Set aside by a worker that is never heard of again; its endpoint may well bill it.
        left = anyio.run(_left_behind, stores[0], made)
    rows = [
        workers[number % WORKERS].purse_for(RunId(str(number)), budget, batch=made)
        for number, budget in enumerate(own)
    ]
    world = World(rows, cap, lost=left)
    anyio.run(all_at_once, world, calls)
    world.check()
    for budgets in workers:
        budgets.close()
    taken = workers[0].batch(made).taken
    within(taken.all, cap)
    assert taken.reserved == left
    assert taken.spent.tokens == sum(purse.taken.spent.tokens for purse in rows)


async def _left_behind(store: Store, made: BatchId) -> Amount:
    purse = Budgets(worst_usd, ledger=store.spend).purse_for(RunId("dead"), Budget(), batch=made)
    try:
        return (await purse.reserve(plan(100), MODEL)).fitted.worst
    except ProviderError:
        return Amount()


def test_workers_of_their_own_spend_all_of_a_batch_and_not_a_cent_more(fanout_home: Path) -> None:
    """One of them is killed in the middle: what it had set aside is missing, and no more."""
    with Store.open(fanout_home) as store:
        made = batch(store, Budget(usd=Decimal("0.40")))
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.budget.spender", str(fanout_home), made],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        victim, survivor = workers
        assert victim.stdout is not None
        billed = len(victim.stdout.readline().strip())
        victim.kill()
        billed += victim.communicate(timeout=60)[0].count("1")
        billed += survivor.communicate(timeout=60)[0].count("1")
        spent = Budgets(cents, ledger=store.spend).batch(made).taken.all.usd
    assert survivor.returncode == 0
    assert billed <= 40
    assert Decimal(billed) / 100 <= spent <= Decimal("0.40")
    assert spent > Decimal("0.35"), "all of it is used but for what no call fits into"
