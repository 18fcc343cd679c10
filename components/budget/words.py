"""Budgets, meters and estimates in words. Plain text: who draws it escapes it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fanout.budget.amount import Amount, Taken
from fanout.budget.budgets import Today
from fanout.budget.words import exactly
from fanout.insight.accuracy import Accuracy, Span
from fanout.insight.estimate import Estimate
from fanout.policies import Budget
from fanout.render.words import usd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One cap as a bar shows it."""

    share: float
    """0 to 1, of the cap; what is set aside counts as taken."""
    text: str


def gauges(whose: str, cap: Budget, taken: Taken) -> tuple[Gauge, ...]:
    """One for money, one for tokens, as far as they are capped. `whose`: "This run"."""
    made = []
    if cap.usd is not None:
        spent, held = taken.spent.usd, taken.reserved.usd
        text = (
            f"{whose}: {usd_text(spent)} of {exactly(cap.usd)} spent{_held(usd_text(held), held)}"
        )
        made.append(Gauge(share=_share(spent + held, cap.usd), text=text))
    if cap.tokens is not None:
        spent_tokens, held_tokens = taken.spent.tokens, taken.reserved.tokens
        text = (
            f"{whose}: {spent_tokens:,} of {cap.tokens:,} tokens used"
            f"{_held(f'{held_tokens:,}', held_tokens)}"
        )
        made.append(Gauge(share=_share(spent_tokens + held_tokens, cap.tokens), text=text))
    return tuple(made)


def day_gauges(today: Today) -> tuple[Gauge, ...]:
    everyone = gauges("Today", today.caps.everyone, today.taken.everyone)
    return everyone + gauges("Your day", today.caps.person, today.taken.person)


def left_today(today: Today) -> str:
    """For one line: "$0.58 of today's $1.00 left"; "" without a cap."""
    parts = []
    for whose, cap, taken in (
        ("today's", today.caps.everyone, today.taken.everyone.all),
        ("your day's", today.caps.person, today.taken.person.all),
    ):
        if cap.usd is not None:
            left = max(cap.usd - taken.usd, Decimal(0))
            parts.append(f"{usd_text(left)} of {whose} {exactly(cap.usd)} left")
        if cap.tokens is not None:
            left_tokens = max(cap.tokens - taken.tokens, 0)
            parts.append(f"{left_tokens:,} of {whose} {cap.tokens:,} tokens left")
    return ", ".join(parts)


def spent_today(taken: Amount) -> str:
    return f"Spent today: {usd_text(taken.usd)} and {taken.tokens:,} tokens."


def foreseen_words(span: Span) -> str:
    """A finished run against its estimate."""
    times = "" if span.of_middle is None else f", {span.of_middle:.1f} times its middle"
    verdict = "inside" if span.inside else "above" if span.actual > span.high else "below"
    return (
        f"It {_took(span)}: {verdict} the estimate of "
        f"{_figure(span.low, span)} to {_figure(span.high, span)}{times}."
    )


def beyond(figures: Estimate, cap: Budget) -> str:
    """What the run's own budget may not be enough for."""
    if cap.usd is not None and figures.high_usd is None:
        return "so a budget in dollars can't be kept, and every call would be skipped"
    if cap.usd is not None and figures.high_usd is not None and figures.high_usd > cap.usd:
        return "the budget may not be enough for all of it"
    tokens = figures.input_tokens + figures.output_tokens_most
    if cap.tokens is not None and tokens > cap.tokens:
        return f"the budget may not be enough for up to {tokens:,} tokens"
    return ""


def accuracy_words(past: Accuracy) -> str:
    last = "The last estimate" if past.runs == 1 else f"The last {past.runs} estimates"
    often = f"{past.inside} time{'' if past.inside == 1 else 's'}"
    return f"{last}: actual was inside the range {often}, median {past.of_middle:.1f}× the middle"


def _took(span: Span) -> str:
    if span.in_usd:
        return f"cost {usd_text(span.actual)}"
    return f"wrote {int(span.actual):,} tokens"


def _figure(value: Decimal, span: Span) -> str:
    return usd_text(value) if span.in_usd else f"{int(value):,}"


def _held(text: str, amount: Decimal | int) -> str:
    return f", {text} set aside for calls under way" if amount else ""


def _share(taken: Decimal | int, cap: Decimal | int) -> float:
    return min(1.0, float(taken / cap)) if cap else 1.0
