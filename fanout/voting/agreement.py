"""How far raters agree beyond chance: Krippendorff's alpha.

Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): alpha = 1 - observed
disagreement / expected disagreement, with missing values. 1 is perfect agreement, 0 what chance
gives, below 0 systematic disagreement. Both disagreements are sums over pairs, which have closed
forms, so it is computed exactly and in linear time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Literal

Level = Literal["nominal", "ordinal", "interval"]
Rating = float | str | None
Value = Fraction | str


def krippendorff_alpha(ratings: Sequence[Sequence[Rating]], level: Level) -> float | None:
    """Alpha of raters by units; None, NaN and infinity are missing values.

    None where alpha is undefined: no unit has two ratings, or all pairable ratings are equal, which
    makes it 0 / 0. Raters who only ever say the same have not shown that they can tell units apart.
    """
    units = [[_value(r, level) for r in unit if not _missing(r)] for unit in zip_longest(*ratings)]
    pairable = [unit for unit in units if len(unit) > 1]
    if level == "ordinal":
        pairable = _as_ranks(pairable)
    values = [value for unit in pairable for value in unit]
    expected = _disagreement(values)
    if not expected:
        return None
    observed = sum((_disagreement(unit) / (len(unit) - 1) for unit in pairable), start=Fraction(0))
    return float(1 - (len(values) - 1) * observed / expected)


def _missing(rating: Rating) -> bool:
    return rating is None or (isinstance(rating, float) and not math.isfinite(rating))


def _value(rating: Rating, level: Level) -> Value:
    if rating is None or (isinstance(rating, str) and level != "nominal"):
        raise ValueError(f"{rating!r} is no number, which alpha for {level} data needs")
    return str(rating) if level == "nominal" else Fraction(rating)


def _as_ranks(units: Sequence[Sequence[Value]]) -> list[list[Value]]:
    """Each value becomes its mid-rank.

    The difference of two mid-ranks is the ordinal metric: the ratings from the one value to the
    other, less half of those at both ends.
    """
    sizes = Counter(value for unit in units for value in unit)
    ranks: dict[Value, Value] = {}
    below = 0
    for value in sorted(sizes, key=lambda v: Fraction(v)):
        ranks[value] = below + Fraction(sizes[value], 2)
        below += sizes[value]
    return [[ranks[value] for value in unit] for unit in units]


def _disagreement(values: Sequence[Value]) -> Fraction:
    """The squared differences of all ordered pairs, added up; of labels, the unequal pairs."""
    numbers = [value for value in values if isinstance(value, Fraction)]
    if len(numbers) < len(values):
        same = sum(n * n for n in Counter(values).values())
        return Fraction(len(values) ** 2 - same)
    total = sum(numbers, Fraction(0))
    squares = sum((x * x for x in numbers), Fraction(0))
    return 2 * (len(numbers) * squares - total * total)
