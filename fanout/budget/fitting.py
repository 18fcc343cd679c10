"""How much to set aside for a request, so that it fits into every cap it counts against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fanout.budget.amount import Amount, Room
from fanout.budget.bound import input_bound, texts_bound
from fanout.budget.words import skipped, too_little, too_much, unknown_price
from fanout.types import BranchPlan, ModelRef

WorstUsd = Callable[[ModelRef, int, int], Decimal | None]
"""What a request with at most so many input and output tokens costs at most; None is unknown."""

LONGEST = 8_192
"""Under a cap an answer without a limit gets one, and never a higher one."""
LEAST = 256
"""Below this an answer without a limit is not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One request before it is known whether it fits."""

    model: ModelRef
    input: int
    """At most so many input tokens."""
    limit: int | None
    """The answer's longest; None has no limit of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    worst: Amount
    max_tokens: int | None


def wish(plan: BranchPlan, model: ModelRef) -> Wish:
    return Wish(model=model, input=input_bound(plan), limit=plan.max_tokens)


def wish_for_vectors(model: ModelRef, texts: Sequence[str]) -> Wish:
    return Wish(model=model, input=texts_bound(texts), limit=0)


def fitted(asked: Wish, rooms: Sequence[Room], worst_usd: WorstUsd) -> Fitted:
    """The request at its worst; ProviderError of kind `budget` where it doesn't fit.

    One without a limit gets half of the longest answer that fits, so that its siblings get
    something too.
    """
    money = any(room.cap.usd is not None for room in rooms)

    def worst(output: int) -> Amount:
        usd = worst_usd(asked.model, asked.input, output)
        if usd is None and money:
            raise unknown_price(rooms)
        return Amount(usd=usd or Decimal(0), tokens=asked.input + output)

    if asked.limit is not None:
        amount = worst(asked.limit)
        _check(amount, rooms)
        return Fitted(worst=amount, max_tokens=asked.limit)
    tokens = any(room.cap.tokens is not None for room in rooms)
    if not tokens and worst(LONGEST).usd == 0:
        return Fitted(worst=Amount(tokens=asked.input + LONGEST), max_tokens=None)
    limit = _longest(worst, rooms)
    return Fitted(worst=worst(limit), max_tokens=limit)


def _longest(worst: Callable[[int], Amount], rooms: Sequence[Room]) -> int:
    least = worst(LEAST)
    for room in rooms:
        if not room.fits(least):
            raise skipped(too_little(room, LEAST))
    low, high = LEAST, 2 * LONGEST
    while low < high:
        middle = (low + high + 1) // 2
        if all(room.fits(worst(middle)) for room in rooms):
            low = middle
        else:
            high = middle - 1
    return max(LEAST, low // 2)


def _check(amount: Amount, rooms: Sequence[Room]) -> None:
    for room in rooms:
        if not room.fits(amount):
            raise skipped(too_much(amount, room))
