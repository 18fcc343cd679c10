"""Percentiles, bins and stretches of time over the figures of many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from fanout.batch.figures import Bin, Spread, Stretch

BINS = 12
MOST_STRETCHES = 60
_STRETCHES = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
    604_800, 2_592_000,
)  # fmt: skip


def spread(values: Sequence[float]) -> Spread | None:
    """None where there are none."""
    if not values:
        return None
    found = sorted(values)
    return Spread(
        n=len(found),
        mean=sum(found) / len(found),
        least=found[0],
        p50=percentile(found, 0.5),
        p90=percentile(found, 0.9),
        p99=percentile(found, 0.99),
        most=found[-1],
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of values in order, at least one; linear between the two next to it."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def histogram(values: Sequence[float]) -> tuple[Bin, ...]:
    """Equal bins from 0 on; a few far out lie in the last one together."""
    if not values:
        return ()
    reach = percentile(sorted(values), 0.98)
    return bins(values, reach or max(values) or 1.0, BINS)


def bins(values: Sequence[float], reach: float, number: int) -> tuple[Bin, ...]:
    if not values:
        return ()
    counts = Counter(min(number - 1, max(0, int(value / reach * number))) for value in values)
    edges = [reach * i / number for i in range(number)] + [max(reach, max(values))]
    return tuple(
        Bin(low=low, high=high, count=counts[i]) for i, (low, high) in enumerate(pairwise(edges))
    )


def over_time(
    began: float | None, ends: Sequence[float], failed: Sequence[float]
) -> tuple[Stretch, ...]:
    """Stretches of one length, so long that there are at most `MOST_STRETCHES` of them."""
    if not ends:
        return ()
    first = min(ends) if began is None else min(began, min(ends))
    whole = max(ends) - first
    step = next(
        (s for s in _STRETCHES if whole / s < MOST_STRETCHES), whole / MOST_STRETCHES * 1.01
    )
    ended = Counter(int((at - first) / step) for at in ends)
    lost = Counter(int((at - first) / step) for at in failed)
    return tuple(
        Stretch(at=first + i * step, seconds=float(step), ended=ended[i], failed=lost[i])
        for i in range(max(ended) + 1)
    )
