"""A batch's budget holds over every run and every worker of it, and as it is set at the moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from fanout.batches import NewBatch, Row
from fanout.budget.amount import Amount, Taken
from fanout.budget.budgets import Budgets
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.day import MayFitLater
from fanout.budget.own import OwnBudgets
from fanout.budget.purse import Reserved
from fanout.budget.words import is_batch_cap
from fanout.errors import ProviderError
from fanout.policies import Budget
from fanout.store.spend import Spend
from fanout.store.store import Store
from fanout.types import (
    BatchId,
    BranchId,
    BranchPlan,
    Cost,
    EndpointId,
    FailureKind,
    Message,
    ModelRef,
    Price,
    RunId,
    Usage,
)

MODEL = ModelRef(endpoint=EndpointId("paid"), model="m")
PRICE = Price(input=Decimal(0), output=Decimal(1000), source="test")


def worst_usd(_model: ModelRef, _input: int, output: int) -> Decimal:
    """A cent for ten tokens of answer."""
    return output * PRICE.output / 1_000_000


def plan(output: int) -> BranchPlan:
    message = Message(role="user", content="rain")
    return BranchPlan(
        id=BranchId("a"), title="A", model=MODEL, messages=(message,), max_tokens=output
    )


def settle(reservation: Reserved, output: int) -> None:
    usage = Usage(input=1, output=output)
    reservation.settle(usage, Cost(usd=worst_usd(MODEL, 1, output), price=PRICE))


@pytest.fixture
def store(fanout_home: Path) -> Iterator[Store]:
    with Store.open(fanout_home) as opened:
        yield opened


def batch(store: Store, budget: Budget) -> BatchId:
    new = NewBatch(title="B", workflow="w", definition={}, model=MODEL, budget=budget)
    return store.batches.create(new, [Row(number=1, topic="rain")])


def worker(store: Store, caps: DayCaps | None = None) -> Budgets:
    return Budgets(worst_usd, ledger=store.spend, caps=Caps(fixed=caps))


async def failure_of(purse_of: Budgets, made: BatchId, output: int) -> ProviderError:
    purse = purse_of.purse_for(RunId("other"), Budget(), batch=made)
    with pytest.raises(ProviderError) as caught:
        await purse.reserve(plan(output), MODEL)
    return caught.value


async def test_what_one_worker_spends_is_missing_for_another(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    one, other = worker(store), worker(store)
    reservation = await one.purse_for(RunId("r"), Budget(), batch=made).reserve(plan(60), MODEL)
    settle(reservation, 60)
    one.close()
    error = await failure_of(other, made, 50)
    assert error.failure.message == (
        "Skipped: this call could cost up to $0.05, and $0.04 of the batch's $0.10 is left. "
        "Raise the batch's budget and let it go on, or ask for shorter answers."
    )
    assert error.failure.kind is FailureKind.BUDGET
    assert is_batch_cap(error.failure)
    meter = other.batch(made)
    assert meter.cap == Budget(usd=Decimal("0.10"))
    assert meter.taken.spent.usd == Decimal("0.06")


async def test_a_raised_budget_counts_at_once(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.01")))
    budgets = worker(store)
    purse = budgets.purse_for(RunId("r"), Budget(), batch=made)
    with pytest.raises(ProviderError):
        await purse.reserve(plan(60), MODEL)
    store.batches.change(made, budget=Budget(usd=Decimal("0.10")))
    settle(await purse.reserve(plan(60), MODEL), 60)
    store.batches.change(made, budget=Budget(usd=Decimal("0.07")))
    with pytest.raises(ProviderError, match=r"of the batch's \$0\.07 is left"):
        await purse.reserve(plan(60), MODEL)
    budgets.close()


async def test_a_budget_that_is_set_later_knows_what_was_spent_before_it(store: Store) -> None:
    made = batch(store, Budget())
    before, after = worker(store), worker(store)
    settle(await before.purse_for(RunId("r"), Budget(), batch=made).reserve(plan(90), MODEL), 90)
    before.close()
    store.batches.change(made, budget=Budget(usd=Decimal("0.10")))
    assert is_batch_cap((await failure_of(after, made, 20)).failure)


async def test_tokens_are_capped_as_money_is(store: Store) -> None:
    made = batch(store, Budget(tokens=300))
    budgets = worker(store)
    purse = budgets.purse_for(RunId("r"), Budget(), batch=made)
    reservation = await purse.reserve(plan(60), MODEL)
    assert isinstance(await failure_of(budgets, made, 140), MayFitLater)
    settle(reservation, 60)
    error = await failure_of(budgets, made, 140)
    assert "of the batch's 300 tokens are left" in error.failure.message
    assert is_batch_cap(error.failure)
    budgets.close()


async def test_the_day_and_the_person_count_what_a_batch_spends(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal(1)))
    whole = worker(store, DayCaps(person=Budget(usd=Decimal("0.05"))))
    own = OwnBudgets(whole, "ada", lambda: False)
    purse = own.purse_for(RunId("r"), Budget(), batch=made)
    settle(await purse.reserve(plan(40), MODEL), 40)
    with pytest.raises(ProviderError) as caught:
        await purse.reserve(plan(40), MODEL)
    assert "of your day's $0.05" in caught.value.failure.message
    assert not is_batch_cap(caught.value.failure)
    assert own.today().taken.person.spent.usd == Decimal("0.04")
    assert own.batch(made).taken == Taken(spent=Amount(usd=Decimal("0.04"), tokens=41))
    whole.close()


async def test_batches_and_days_are_not_in_each_others_way(store: Store) -> None:
    made, other = (batch(store, Budget(usd=Decimal("0.05"))) for _ in range(2))
    budgets = worker(store)
    for one in (made, other):
        purse = budgets.purse_for(RunId(one), Budget(), batch=one)
        settle(await purse.reserve(plan(40), MODEL), 40)
    alone = budgets.purse_for(RunId("by hand"), Budget())
    settle(await alone.reserve(plan(500), MODEL), 500)
    assert budgets.batch(made).taken.spent.usd == Decimal("0.04")
    assert budgets.today().taken.everyone.spent.usd == Decimal("0.58")
    budgets.close()


async def test_a_call_waits_for_what_other_workers_may_leave(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    one, other = worker(store), worker(store)
    first = await one.purse_for(RunId("r"), Budget(), batch=made).reserve(plan(60), MODEL)
    purse, held = other.purse_for(RunId("s"), Budget(), batch=made), anyio.Event()
    got: list[Reserved] = []

    async def wait() -> None:
        got.append(await purse.reserve(plan(60), MODEL, held.set))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await held.wait()
            assert not got
            settle(first, 10)
    assert got[0].fitted.worst.usd == Decimal("0.06")
    settle(got[0], 60)
    for budgets in (one, other):
        budgets.close()


async def test_a_call_that_waits_gives_up_once_nothing_can_be_left_for_it(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    one, other = worker(store), worker(store)
    first = await one.purse_for(RunId("r"), Budget(), batch=made).reserve(plan(60), MODEL)
    purse, held, told = other.purse_for(RunId("s"), Budget(), batch=made), anyio.Event(), []

    async def wait() -> None:
        with pytest.raises(ProviderError) as caught:
            await purse.reserve(plan(60), MODEL, held.set)
        told.append(caught.value.failure)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await held.wait()
            settle(first, 60)
    assert is_batch_cap(told[0])
    one.close()


async def test_a_model_without_a_price_is_the_batchs_trouble_and_not_each_rows(
    store: Store,
) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    budgets = Budgets(lambda *_: None, ledger=store.spend)
    error = await failure_of(budgets, made, 10)
    assert "nobody knows what this model costs" in error.failure.message
    assert is_batch_cap(error.failure)


async def test_a_free_model_needs_no_budget_in_dollars(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal(0)))
    budgets = Budgets(lambda *_: Decimal(0), ledger=store.spend)
    purse = budgets.purse_for(RunId("r"), Budget(), batch=made)
    assert (await purse.reserve(plan(50), MODEL)).claim.id == ""


async def test_what_a_dead_worker_had_set_aside_stays_taken(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    dead = worker(store)
    await dead.purse_for(RunId("r"), Budget(), batch=made).reserve(plan(60), MODEL)
    assert worker(store).batch(made).taken == Taken(
        reserved=Amount(usd=Decimal("0.06"), tokens=60 + 128 + 16 + 4)
    )
    # A call of any other run clears away what days have left behind, but nothing of batches.
    week = Budgets(worst_usd, ledger=Spend(store._engine, lambda: time.time() + 7 * 86_400))
    other = batch(store, Budget(usd=Decimal(1)))
    await week.purse_for(RunId("s"), Budget(), batch=other).reserve(plan(10), MODEL)
    assert week.batch(made).taken.spent.usd == Decimal("0.06")
    error = await failure_of(week, made, 60)
    assert is_batch_cap(error.failure)
    assert not isinstance(error, MayFitLater), "nobody will settle it any more"


async def test_a_batch_that_is_gone_caps_nothing(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.01")))
    store.batches.delete(made)
    budgets = worker(store)
    reservation = await budgets.purse_for(RunId("r"), Budget(), batch=made).reserve(plan(60), MODEL)
    assert reservation.max_tokens == 60


async def test_a_call_that_waits_at_the_provider_is_set_aside_once_whoever_asks_for_it(
    store: Store,
) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    gone, new = worker(store), worker(store)
    await gone.purse_for(RunId("r"), Budget(), batch=made, parked=True).reserve(plan(60), MODEL)
    purse = new.purse_for(RunId("r"), Budget(), batch=made, parked=True)
    reservation = await purse.reserve(plan(60), MODEL)
    assert new.batch(made).taken.all.usd == Decimal("0.06")
    # Asked a second time by the same run it is another call.
    with pytest.raises(ProviderError):
        await purse.reserve(plan(60), MODEL)
    settle(reservation, 20)
    assert new.batch(made).taken == Taken(spent=Amount(usd=Decimal("0.02"), tokens=21))
    new.close()


async def test_nobody_waits_for_what_the_provider_answers_tomorrow(store: Store) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    budgets, held = worker(store), list[str]()
    await budgets.purse_for(RunId("r"), Budget(), batch=made, parked=True).reserve(plan(60), MODEL)
    other = budgets.purse_for(RunId("s"), Budget(), batch=made, parked=True)
    with anyio.fail_after(20), pytest.raises(ProviderError) as caught:
        await other.reserve(plan(60), MODEL, lambda: held.append("held"))
    assert is_batch_cap(caught.value.failure)
    assert held == []


async def test_what_was_hung_up_on_at_the_provider_stays_set_aside_until_it_is_answered(
    store: Store,
) -> None:
    made = batch(store, Budget(usd=Decimal("0.10")))
    budgets = worker(store)
    unknown = Usage(input=1, estimated=True)
    for _ in range(3):
        purse = budgets.purse_for(RunId("r"), Budget(), batch=made, parked=True)
        for _ in range(2):
            reservation = await purse.reserve(plan(60), MODEL)
            reservation.settle(unknown, Cost(usd=Decimal(0), price=PRICE, estimated=True))
            assert budgets.batch(made).taken.reserved.usd == Decimal("0.06")
    settle(await purse.reserve(plan(60), MODEL), 20)
    assert budgets.batch(made).taken == Taken(spent=Amount(usd=Decimal("0.02"), tokens=21))
    budgets.close()
