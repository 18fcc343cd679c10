"""An estimate knows earlier answers, and is held against what a run took."""

from __future__ import annotations

from decimal import Decimal

from fanout.insight.accuracy import accuracy, span
from fanout.insight.estimate import Lengths, estimate
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    EndpointId,
    Forecast,
    Message,
    ModelRef,
    Price,
)

MODEL = ModelRef(endpoint=EndpointId("paid"), model="m")
PRICE = Price(input=Decimal(1), output=Decimal(4), source="a list")


def call(id: str, max_tokens: int | None) -> BranchPlan:
    message = Message(role="user", content="x" * 384)
    return BranchPlan(
        id=BranchId(id), title=id, model=MODEL, messages=(message,), max_tokens=max_tokens
    )


def known(id: BranchId, model: str) -> Lengths | None:
    return Lengths(low=100, high=160) if (id, model) == ("a", "m") else None


def test_earlier_answers_narrow_the_estimate_and_never_pass_the_limit() -> None:
    figures = estimate([call("a", 1_000)], None, lambda _: PRICE, lengths_of=known)
    assert figures.forecast == Forecast(
        input_tokens=100,
        output_tokens_least=80,
        output_tokens_most=200,
        low_usd=Decimal("0.00042"),
        high_usd=Decimal("0.0009"),
    )
    assert figures.basis == "answers about as long as earlier ones of this workflow; prices: a list"
    short = estimate([call("a", 150)], None, lambda _: PRICE, lengths_of=known)
    assert short.output_tokens_most == 150


def test_what_is_not_known_of_earlier_is_taken_from_its_limit() -> None:
    plans = [call("a", 1_000), call("b", 1_000)]
    figures = estimate(plans, call(AGGREGATE, None), lambda _: PRICE, lengths_of=known)
    assert figures.forecast.output_tokens_least == 80 + 250 + 250
    assert figures.output_tokens_most == 200 + 1_000 + 1_000
    assert figures.input_tokens == 100 + 100 + (100 + 200 + 1_000)
    assert "or between a quarter of their limit" in figures.basis


def forecast(low: str | None, high: str | None) -> Forecast:
    return Forecast(
        input_tokens=1,
        output_tokens_least=10,
        output_tokens_most=30,
        low_usd=None if low is None else Decimal(low),
        high_usd=None if high is None else Decimal(high),
    )


def test_a_run_is_compared_in_money_where_that_is_known_else_in_tokens() -> None:
    paid = span(forecast("0.1", "0.3"), Decimal("0.3"), 99)
    free = span(forecast("0", "0"), Decimal(0), 31)
    assert paid is not None
    assert free is not None
    assert (paid.in_usd, paid.inside, paid.of_middle) == (True, True, 1.5)
    assert (free.in_usd, free.inside, free.of_middle) == (False, False, 1.55)
    assert span(forecast(None, None), None, None) is None


def test_past_estimates_are_summed_up_by_their_median_and_share() -> None:
    spans = [span(forecast("1", "3"), Decimal(usd), None) for usd in ("1", "2", "7")]
    found = accuracy([one for one in spans if one is not None])
    assert found is not None
    assert (found.runs, found.inside, found.of_middle) == (3, 2, 1.0)
    assert accuracy([]) is None
