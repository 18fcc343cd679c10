"""What a run will take before it starts: calls, tokens and a cost range, with its basis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fanout.pricing import flat_cost
from fanout.tokens import estimated_input
from fanout.types import BranchId, BranchPlan, Forecast, ModelRef, Price, Usage

SHORT_SHARE = 0.25
"""A short answer uses about this share of its limit."""
UNLIMITED_TOKENS = 1_000
"""What an answer without a limit is taken to use at most."""
ROOM = 1.25
"""How much longer or shorter than earlier ones an answer may be."""

PriceOf = Callable[[ModelRef], Price | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long answers to the same branch of the same workflow were, in tokens."""

    low: int
    """Nine in ten were longer."""
    high: int
    """Nine in ten were shorter."""


LengthsOf = Callable[[BranchId, str], Lengths | None]
"""Of a branch and the model that answers it; None where too few are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    branches: int
    combining_calls: int
    forecast: Forecast
    basis: str

    @property
    def free(self) -> bool:
        return self.high_usd == 0

    @property
    def input_tokens(self) -> int:
        return self.forecast.input_tokens

    @property
    def output_tokens_most(self) -> int:
        return self.forecast.output_tokens_most

    @property
    def low_usd(self) -> Decimal | None:
        """None where a price is unknown."""
        return self.forecast.low_usd

    @property
    def high_usd(self) -> Decimal | None:
        return self.forecast.high_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    model: ModelRef
    shortest: Usage
    longest: Usage


def estimate(
    plans: Sequence[BranchPlan],
    combine: BranchPlan | None,
    price_of: PriceOf,
    *,
    combining_calls: int = 1,
    lengths_of: LengthsOf | None = None,
) -> Estimate:
    """The calls of a run at their shortest and longest. Money is US dollars.

    `combine` is the combining call as it would be with nothing to combine; what the branches may
    write is added to its input here. Judges and a checklist are further calls like it. A branch
    without messages asks nobody. `lengths_of` knows how long earlier answers were.
    """
    known = lengths_of or _unknown
    calls = [_call(plan, 0, 0, known) for plan in plans if plan.messages]
    if combine is not None:
        least = sum(call.shortest.output for call in calls)
        most = sum(call.longest.output for call in calls)
        calls += [_call(combine, least, most, known)] * combining_calls
    asked = [*plans, *([combine] if combine is not None else [])]
    return Estimate(
        branches=len(plans),
        combining_calls=0 if combine is None else combining_calls,
        forecast=Forecast(
            input_tokens=sum(call.longest.input for call in calls),
            output_tokens_least=sum(call.shortest.output for call in calls),
            output_tokens_most=sum(call.longest.output for call in calls),
            low_usd=_cost([(call.model, call.shortest) for call in calls], price_of),
            high_usd=_cost([(call.model, call.longest) for call in calls], price_of),
        ),
        basis=f"{_lengths_basis(asked, known)}; prices: {_sources(calls, price_of)}",
    )


def _call(plan: BranchPlan, least: int, most: int, known: LengthsOf) -> _Call:
    """`least` and `most` are what comes to its input from other calls."""
    fixed = estimated_input(plan.messages)
    limit = UNLIMITED_TOKENS if plan.max_tokens is None else plan.max_tokens
    low, high = round(limit * SHORT_SHARE), limit
    if (past := known(plan.id, plan.model.model)) is not None:
        cut = limit if plan.max_tokens is not None else past.high * 2
        high = min(cut, round(past.high * ROOM))
        low = min(high, round(past.low / ROOM))
    return _Call(
        model=plan.model,
        shortest=Usage(input=fixed + least, output=low),
        longest=Usage(input=fixed + most, output=high),
    )


def _cost(calls: Sequence[tuple[ModelRef, Usage]], price_of: PriceOf) -> Decimal | None:
    total = Decimal(0)
    for model, usage in calls:
        price = price_of(model)
        if price is None:
            return None
        total += flat_cost(price, usage)
    return total


def _lengths_basis(plans: Sequence[BranchPlan], known: LengthsOf) -> str:
    asked = [plan for plan in plans if plan.messages]
    seen = sum(known(plan.id, plan.model.model) is not None for plan in asked)
    share = "between a quarter of their limit and all of it"
    if not seen:
        return f"answers {share}"
    if seen < len(asked):
        return f"answers about as long as earlier ones of this workflow, or {share}"
    return "answers about as long as earlier ones of this workflow"


def _sources(calls: Sequence[_Call], price_of: PriceOf) -> str:
    sources = {price.source for call in calls if (price := price_of(call.model))}
    return ", ".join(sorted(sources)) or "unknown"


def _unknown(_id: BranchId, _model: str) -> None:
    return None
