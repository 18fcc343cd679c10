"""What it brought to compute the branches' common beginning once: tokens, money, and its time.

Counted by what the endpoint reported, never by what ought to have come from its cache. The words
for it are in `render.prefix_words`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fanout.events import PrefixOpened
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchId, Cost

_MTOK: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixSaving:
    """All the openings of one run together."""

    branches: int
    """How many share a beginning, those that opened the way included."""
    answered: int
    """How many of those that waited for it have used tokens since."""
    tokens: int
    """About how many tokens one branch shares with the others; of several openings the most."""
    cached: int
    """Tokens that those who waited read from a cache, as reported."""
    input: int
    """All the input tokens of the same calls."""
    usd: Decimal | None
    """What that saved against the full price; None where a price is unknown."""
    took_s: float
    """How long the branches waited for it; of several openings the longest."""
    by: tuple[BranchId, ...]
    """Who went ahead; empty where the server computed it beforehand and copied it."""


def saved(snapshot: Snapshot) -> PrefixSaving | None:
    """None where nothing was opened."""
    if not snapshot.prefixes:
        return None
    calls = [call for opening in snapshot.prefixes for call in _followers(snapshot, opening)]
    used = [(call, call.usage) for call in calls if call.usage is not None and call.usage.input]
    return PrefixSaving(
        branches=len({each for opening in snapshot.prefixes for each in opening.branches}),
        answered=len(used),
        tokens=max(opening.tokens for opening in snapshot.prefixes),
        cached=sum(usage.cached for _, usage in used),
        input=sum(usage.input for _, usage in used),
        usd=_sum(_saved_usd(call.cost, usage.cached) for call, usage in used if usage.cached),
        took_s=max(opening.took_s for opening in snapshot.prefixes),
        by=tuple(opening.by for opening in snapshot.prefixes if opening.by is not None),
    )


def _followers(snapshot: Snapshot, opening: PrefixOpened) -> Iterable[Branch]:
    """The calls that used it: of a branch that was asked several times the first that ended later.

    The one that went ahead is not among them: what it found in a cache was put there by others.
    """
    for branch_id in opening.branches:
        if branch_id == opening.by:
            continue
        for go in snapshot.branch(branch_id).goes:
            if go.finished_s is None or go.finished_s >= opening.at:
                yield go
                break


def _saved_usd(cost: Cost | None, cached: int) -> Decimal | None:
    if cost is None:
        return None
    price = cost.price
    return Decimal(0) if price.cached is None else (price.input - price.cached) * cached / _MTOK


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
