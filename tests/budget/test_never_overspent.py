"""Over random schedules of calls, ends, Stops and deaths no cap is ever passed, nor wasted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.budget.amount import Amount
from fanout.budget.bound import PER_MESSAGE, PER_REQUEST
from fanout.budget.budgets import Budgets
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.purse import Reserved, RunPurse
from fanout.errors import ProviderError
from fanout.policies import Budget
from fanout.store.store import Store
from fanout.types import (
    BranchId,
    BranchPlan,
    Cost,
    EndpointId,
    Message,
    ModelRef,
    Price,
    RunId,
    Usage,
)

MODEL = ModelRef(endpoint=EndpointId("paid"), model="m")
PRICE = Price(input=Decimal(1), output=Decimal(10), source="test")
OVERHEAD = PER_REQUEST + PER_MESSAGE


def worst_usd(_model: ModelRef, input_tokens: int, output_tokens: int) -> Decimal:
    return (input_tokens * PRICE.input + output_tokens * PRICE.output) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a schedule, and what its endpoint does."""

    run: int
    size: int
    """Bytes of its prompt."""
    limit: int | None
    input_share: float
    output_share: float
    """How much of its worst case it really takes."""
    reported: bool
    """False where the endpoint says nothing, and less is guessed than it took."""
    refused: bool
    after: int
    """How many turns it waits before it starts, and"""
    lasts: int
    """how many it takes."""
    stopped: int | None
    """After how many turns it is called off."""

    @property
    def plan(self) -> BranchPlan:
        message = Message(role="user", content="x" * self.size)
        return BranchPlan(
            id=BranchId("a"), title="A", model=MODEL, messages=(message,), max_tokens=self.limit
        )

    def took(self, limit: int) -> Usage:
        """What its endpoint will bill."""
        if self.refused:
            return Usage()
        return Usage(
            input=round((self.size + OVERHEAD) * self.input_share),
            output=round(limit * self.output_share),
        )

    def told(self, took: Usage) -> Usage:
        """What Fanout gets to know of that."""
        if self.refused or self.reported:
            return took
        return Usage(input=took.input // 2 + 1, output=took.output // 3, estimated=True)


CALLS = st.lists(
    st.builds(
        Call,
        run=st.sampled_from([0, 0, 0, 1, 2]),
        size=st.sampled_from([1, 100, 1_000]),
        limit=st.sampled_from([None, 300, 1_000, 2_000]),
        input_share=st.sampled_from([1.0, 0.2]),
        output_share=st.sampled_from([1.0, 1.0, 0.1]),
        reported=st.booleans(),
        refused=st.sampled_from([False, False, False, True]),
        after=st.integers(0, 20),
        lasts=st.integers(0, 4),
        stopped=st.sampled_from([None, None, 0, 2, 5, 12]),
    ),
    min_size=4,
    max_size=20,
)
BUDGETS = st.builds(
    Budget,
    usd=st.none() | st.decimals("0.003", "0.06", places=4),
    tokens=st.none() | st.integers(400, 6_000),
)


@dataclass(slots=True)
class World:
    """The endpoint's own books, against which Fanout's are held."""

    runs: list[RunPurse]
    day: Budget
    billed: list[Amount] = field(default_factory=lambda: [Amount(), Amount(), Amount()])
    lost: Amount = field(default_factory=Amount)
    """Billed to a process that died."""
    refused: int = 0
    let_through: int = 0

    def check(self) -> None:
        total = self.lost
        for purse, billed in zip(self.runs, self.billed, strict=True):
            within(purse.taken.all, purse.cap)
            within(billed, purse.cap)
            total += billed
        within(total, self.day)

    async def carry_out(self, call: Call) -> None:
        for _ in range(call.after):
            await checkpoint()
        try:
            reservation = await self.runs[call.run].reserve(call.plan, MODEL)
        except ProviderError:
            self.refused += 1
            return
        self.let_through += 1
        took = Usage()
        try:
            self.check()
            await checkpoint()
            took = call.took(reservation.max_tokens or 500)
            usd = worst_usd(MODEL, took.input, took.output)
            self.billed[call.run] += Amount(usd=usd, tokens=took.input + took.output)
            self.check()
            for _ in range(call.lasts):
                await checkpoint()
        finally:
            _settle(reservation, call.told(took))
            self.check()


def _settle(reservation: Reserved, told: Usage) -> None:
    usd = worst_usd(MODEL, told.input, told.output)
    reservation.settle(told, Cost(usd=usd, price=PRICE, estimated=told.estimated))


def within(amount: Amount, cap: Budget) -> None:
    assert cap.usd is None or amount.usd <= cap.usd
    assert cap.tokens is None or amount.tokens <= cap.tokens


async def all_at_once(world: World, calls: list[Call]) -> None:
    async def one(call: Call) -> None:
        with anyio.CancelScope() as scope:
            if call.stopped is None:
                await world.carry_out(call)
                return
            async with anyio.create_task_group() as group:
                group.start_soon(stop, scope, call.stopped)
                await world.carry_out(call)
                group.cancel_scope.cancel()

    async def stop(scope: anyio.CancelScope, turns: int) -> None:
        for _ in range(turns):
            await checkpoint()
        scope.cancel()

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)


@settings(max_examples=80, deadline=None)
@given(calls=CALLS, caps=st.tuples(BUDGETS, BUDGETS, BUDGETS))
def test_no_run_is_ever_overspent(calls: list[Call], caps: tuple[Budget, ...]) -> None:
    budgets = Budgets(worst_usd)
    runs = [budgets.purse_for(RunId(str(n)), cap) for n, cap in enumerate(caps)]
    world = World(runs, Budget())
    anyio.run(all_at_once, world, calls)
    world.check()
    assert all(purse.taken.reserved == Amount() for purse in runs)


@settings(max_examples=80, deadline=None)
@given(calls=CALLS, cap=BUDGETS)
def test_a_call_is_let_through_exactly_where_its_worst_case_fits(
    calls: list[Call], cap: Budget
) -> None:
    async def one_by_one() -> None:
        purse = RunPurse(cap, worst_usd)
        spent = Amount()
        for call in calls:
            size, limit = call.size + OVERHEAD, call.limit or 256
            worst = Amount(usd=worst_usd(MODEL, size, limit), tokens=size + limit)
            needed = spent + worst
            fits = (cap.usd is None or needed.usd <= cap.usd) and (
                cap.tokens is None or needed.tokens <= cap.tokens
            )
            try:
                reservation = await purse.reserve(call.plan, MODEL)
            except ProviderError:
                assert not fits
                continue
            assert fits
            _settle(reservation, call.told(call.took(reservation.max_tokens or 500)))
            assert purse.taken.reserved == Amount()
            spent = purse.taken.spent

    anyio.run(one_by_one)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """Two on one record, as two processes have it."""
    home = tmp_path_factory.mktemp("record")
    opened = [Store.open(home), Store.open(home)]
    yield opened
    for store in opened:
        store.close()


DAYS = count(1)


@settings(max_examples=30, deadline=None)
@given(calls=CALLS, runs=st.tuples(BUDGETS, BUDGETS, BUDGETS), cap=BUDGETS)
def test_no_day_is_ever_overspent_by_several_processes(
    stores: list[Store], calls: list[Call], runs: tuple[Budget, ...], cap: Budget
) -> None:
    day = time.time() + 86_400 * next(DAYS)
    caps = Caps(fixed=DayCaps(everyone=cap))
    processes = [
        Budgets(worst_usd, ledger=store.spend, caps=caps, now=lambda: day) for store in stores
    ]
    purses = [
        processes[number % 2].purse_for(RunId(str(number)), own) for number, own in enumerate(runs)
    ]
    world = World(purses, cap)
    anyio.run(all_at_once, world, calls)
    world.check()
    for budgets in processes:
        budgets.close()
    today = processes[0].today().taken.everyone
    assert today.reserved == Amount()
    within(today.spent, cap)
    assert today.spent.tokens == sum(purse.taken.spent.tokens for purse in purses)
