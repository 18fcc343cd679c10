"""A run's purse sets the worst case aside, lets through what fits, and takes the truth after it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fanout.budget.amount import Amount
from fanout.budget.fitting import LEAST, LONGEST
from fanout.budget.purse import RunPurse
from fanout.errors import ProviderError
from fanout.policies import Budget
from fanout.types import (
    BranchId,
    BranchPlan,
    Cost,
    EndpointId,
    FailureKind,
    Message,
    ModelRef,
    Price,
    Usage,
)
from tests.rig import rig, trio

pytestmark = pytest.mark.anyio

MODEL = ModelRef(endpoint=EndpointId("paid"), model="m")
PRICE = Price(input=Decimal(1), output=Decimal(10), source="test")


def worst_usd(_model: ModelRef, input_tokens: int, output_tokens: int) -> Decimal:
    return (input_tokens * PRICE.input + output_tokens * PRICE.output) / 1_000_000


def unknown(_model: ModelRef, _input_tokens: int, _output_tokens: int) -> None:
    return None


def free(_model: ModelRef, _input_tokens: int, _output_tokens: int) -> Decimal:
    return Decimal(0)


def plan(max_tokens: int | None = 1_000) -> BranchPlan:
    return BranchPlan(
        id=BranchId("a"),
        title="A",
        model=MODEL,
        messages=(Message(role="user", content="x" * 56),),
        max_tokens=max_tokens,
    )


INPUT = 200
"""56 bytes and what a template may add."""


def cost(usage: Usage) -> Cost:
    usd = worst_usd(MODEL, usage.input, usage.output)
    return Cost(usd=usd, price=PRICE, estimated=usage.estimated)


async def test_what_does_not_fit_is_refused_and_says_what_it_could_cost_and_what_is_left() -> None:
    purse = RunPurse(Budget(usd=Decimal("0.014")), worst_usd)
    await purse.reserve(plan(), MODEL)
    with pytest.raises(ProviderError) as refused:
        await purse.reserve(plan(), MODEL)
    assert refused.value.failure.kind is FailureKind.BUDGET
    assert not refused.value.failure.retryable
    assert refused.value.failure.message == (
        "Skipped: this call could cost up to $0.011, and $0.0038 of the run's $0.014 is left. "
        "This run keeps its budget: raise it for a new one, or ask for shorter answers."
    )


async def test_a_settled_call_gives_back_what_it_did_not_take() -> None:
    purse = RunPurse(Budget(usd=Decimal("0.014")), worst_usd)
    first = await purse.reserve(plan(), MODEL)
    used = Usage(input=20, output=100)
    first.settle(used, cost(used))
    first.settle(used, cost(used))
    assert purse.taken.spent == Amount(usd=Decimal("0.00102"), tokens=120)
    assert purse.taken.reserved == Amount()
    await purse.reserve(plan(), MODEL)


async def test_tokens_are_capped_also_where_the_price_is_unknown() -> None:
    purse = RunPurse(Budget(tokens=2_000), unknown)
    await purse.reserve(plan(), MODEL)
    with pytest.raises(ProviderError, match="up to 1,200 tokens, and 800 of the run's 2,000 token"):
        await purse.reserve(plan(), MODEL)


async def test_under_a_cap_in_dollars_a_model_of_unknown_price_is_not_asked() -> None:
    purse = RunPurse(Budget(usd=Decimal(5)), unknown)
    with pytest.raises(ProviderError, match="price on the Models page, or give the budget in tok"):
        await purse.reserve(plan(), MODEL)


async def test_a_free_model_is_asked_when_all_the_money_is_spent_and_without_a_limit() -> None:
    purse = RunPurse(Budget(usd=Decimal(1)), free, already=Amount(usd=Decimal(2)))
    assert (await purse.reserve(plan(None), MODEL)).max_tokens is None


async def test_an_answer_without_a_limit_gets_one_that_leaves_something_for_its_siblings() -> None:
    purse = RunPurse(Budget(tokens=10_000), worst_usd)
    limits = [(await purse.reserve(plan(None), MODEL)).max_tokens or 0 for _ in range(4)]
    assert limits == [4_900, 2_350, 1_075, 437]
    assert purse.taken.reserved.tokens == sum(limits) + 4 * INPUT <= 10_000
    rich = RunPurse(Budget(usd=Decimal(100)), worst_usd)
    assert (await rich.reserve(plan(None), MODEL)).max_tokens == LONGEST


async def test_an_answer_without_a_limit_is_not_begun_where_only_a_stump_fits() -> None:
    purse = RunPurse(Budget(tokens=INPUT + LEAST - 1), worst_usd)
    with pytest.raises(ProviderError, match="can't pay for this call with an answer of 256"):
        await purse.reserve(plan(None), MODEL)


async def test_what_an_endpoint_does_not_report_stays_spent_at_its_worst() -> None:
    purse = RunPurse(Budget(usd=Decimal(1)), worst_usd)
    reserved = await purse.reserve(plan(), MODEL)
    used = Usage(input=10, output=3, estimated=True)
    reserved.settle(used, cost(used))
    assert purse.taken.spent == Amount(usd=Decimal("0.0102"), tokens=1_200)


async def test_a_refused_request_costs_nothing() -> None:
    purse = RunPurse(Budget(usd=Decimal(1)), worst_usd)
    (await purse.reserve(plan(), MODEL)).settle(Usage(), None)
    assert purse.taken.all == Amount()


async def test_an_endpoint_that_reports_more_than_the_worst_case_ends_all_spending() -> None:
    purse = RunPurse(Budget(usd=Decimal("0.02")), worst_usd)
    reserved = await purse.reserve(plan(), MODEL)
    used = Usage(input=30_000, output=100)
    reserved.settle(used, cost(used))
    assert purse.taken.spent.usd == Decimal("0.031")
    with pytest.raises(ProviderError, match=r"\$0 of the run's \$0\.02 is left"):
        await purse.reserve(plan(1), MODEL)


async def test_vectors_are_paid_for_too() -> None:
    purse = RunPurse(Budget(usd=Decimal("0.0001")), worst_usd)
    reserved = await purse.reserve_vectors(MODEL, ["x" * 34, "y" * 34])
    assert purse.taken.reserved == Amount(usd=Decimal("0.0001"), tokens=100)
    reserved.settle(Usage(input=10), None)
    assert purse.taken.spent.usd == Decimal("0.0001")


async def test_a_run_without_a_cap_counts_what_it_spends() -> None:
    purse = RunPurse(Budget(), unknown)
    reserved = await purse.reserve(plan(None), MODEL)
    assert reserved.max_tokens is None
    reserved.settle(Usage(input=7, output=3), None)
    assert purse.taken.spent.tokens == 10


def test_a_budget_of_nothing_lets_only_free_models_answer() -> None:
    for policies, here, states in (
        ({"budget": {"usd": 0}}, True, {"done"}),
        ({"budget": {"usd": 0}}, False, {"skipped"}),
        ({"budget": {"tokens": 0}}, True, {"skipped"}),
    ):
        with rig(on_this_machine=here) as made:
            run = made.run(trio(policies=policies))
        assert {branch.state.value for branch in run.branches} == states, policies
