"""What a run will take before it starts: calls, tokens and a cost range, with its basis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fanout.pricing import flat_cost
from fanout.tokens import estimated_input
from fanout.types import BranchPlan, ModelRef, Price, Usage

SHORT_SHARE = 0.25
"""A short answer uses about this share of its limit."""
UNLIMITED_TOKENS = 1_000
"""What an answer without a limit is taken to use at most."""

PriceOf = Callable[[ModelRef], Price | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    branches: int
    combining_calls: int
    input_tokens: int
    output_tokens_most: int
    low_usd: Decimal | None
    """None where a price is unknown."""
    high_usd: Decimal | None
    basis: str

    @property
    def free(self) -> bool:
        return self.high_usd == 0


def estimate(
    plans: Sequence[BranchPlan],
    combine: BranchPlan | None,
    price_of: PriceOf,
    *,
    combining_calls: int = 1,
) -> Estimate:
    """The calls of a run at their shortest and longest. Money is US dollars.

    `combine` is the combining call as it would be with nothing to combine; what the branches may
    write is added to its input here. Judges and a checklist are further calls like it. A branch
    without messages asks nobody.
    """
    asked = [plan for plan in plans if plan.messages]
    calls = [(plan.model, estimated_input(plan.messages), plan.max_tokens) for plan in asked]
    outputs = sum(_most(limit) for _, _, limit in calls)
    low, high = _range(calls, price_of)
    if combine is not None:
        fixed = estimated_input(combine.messages)
        least = (combine.model, fixed + round(outputs * SHORT_SHARE), combine.max_tokens)
        short = [least] * combining_calls
        long = [(combine.model, fixed + outputs, combine.max_tokens)] * combining_calls
        low = _add(low, _range(short, price_of)[0])
        high = _add(high, _range(long, price_of)[1])
        calls += long
    sources = {price.source for model, _, _ in calls if (price := price_of(model))}
    return Estimate(
        branches=len(plans),
        combining_calls=0 if combine is None else combining_calls,
        input_tokens=sum(tokens for _, tokens, _ in calls),
        output_tokens_most=sum(_most(limit) for _, _, limit in calls),
        low_usd=low,
        high_usd=high,
        basis=f"answers between a quarter of their limit and all of it; prices: {_join(sources)}",
    )


def _range(
    calls: Sequence[tuple[ModelRef, int, int | None]], price_of: PriceOf
) -> tuple[Decimal | None, Decimal | None]:
    low = high = Decimal(0)
    for model, tokens, limit in calls:
        price = price_of(model)
        if price is None:
            return None, None
        short = Usage(input=tokens, output=round(_most(limit) * SHORT_SHARE))
        low += flat_cost(price, short)
        high += flat_cost(price, Usage(input=tokens, output=_most(limit)))
    return low, high


def _add(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _most(limit: int | None) -> int:
    return UNLIMITED_TOKENS if limit is None else limit


def _join(sources: set[str]) -> str:
    return ", ".join(sorted(sources)) or "unknown"
