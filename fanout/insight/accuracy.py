"""How far an estimate was off, for one run and over those of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from fanout.insight.speed import total_cost_usd
from fanout.snapshot import Snapshot
from fanout.types import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a run was thought to take and what it took: money, or where that is free or unknown,
    output tokens."""

    low: Decimal
    high: Decimal
    actual: Decimal
    in_usd: bool

    @property
    def inside(self) -> bool:
        return self.low <= self.actual <= self.high

    @property
    def of_middle(self) -> float | None:
        """The actual as a multiple of the middle of the estimate."""
        middle = (self.low + self.high) / 2
        return float(self.actual / middle) if middle else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Of past estimates."""

    runs: int
    inside: int
    of_middle: float
    """The median."""


def span(forecast: Forecast, usd: Decimal | None, output_tokens: int | None) -> Span | None:
    """None where nobody knows what it took."""
    low, high = forecast.low_usd, forecast.high_usd
    if usd is not None and low is not None and high:
        return Span(low=low, high=high, actual=usd, in_usd=True)
    if output_tokens is None:
        return None
    return Span(
        low=Decimal(forecast.output_tokens_least),
        high=Decimal(forecast.output_tokens_most),
        actual=Decimal(output_tokens),
        in_usd=False,
    )


def span_of(snapshot: Snapshot) -> Span | None:
    """Of a run that has ended; None where it was not estimated or does not say what it took."""
    made = snapshot.made_with
    if made is None or made.estimate is None:
        return None
    told = [go.usage.output for go in snapshot.goes if go.usage is not None]
    return span(made.estimate, total_cost_usd(snapshot), sum(told) if told else None)


def accuracy(spans: Sequence[Span]) -> Accuracy | None:
    """None without any."""
    ratios = [ratio for one in spans if (ratio := one.of_middle) is not None]
    if not ratios:
        return None
    return Accuracy(
        runs=len(ratios),
        inside=sum(one.inside for one in spans if one.of_middle is not None),
        of_middle=median(ratios),
    )
