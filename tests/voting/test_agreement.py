"""Krippendorff's alpha against the examples that Krippendorff worked out himself.

The tables are those of "Computing Krippendorff's Alpha-Reliability" (2011), sections A to D.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.voting.agreement import Level, Rating, krippendorff_alpha

MEG = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
OWEN = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
BEN = list("aabbdcccedda")
GERRY = list("babbbccceddd")
O = None  # noqa: E741
FOUR_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, O, O, O],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, O, 3],
    [O, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, O],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, O],
]
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")


@pytest.mark.parametrize(
    ("ratings", "level", "published"),
    [
        ([MEG, OWEN], "nominal", 0.095),
        ([BEN, GERRY], "nominal", 0.692),
        (FOUR_OBSERVERS, "nominal", 0.743),
        (FOUR_OBSERVERS, "ordinal", 0.815),
        (FOUR_OBSERVERS, "interval", 0.849),
    ],
)
def test_alpha_is_what_krippendorff_published(
    ratings: list[list[Rating]], level: Level, published: float
) -> None:
    assert krippendorff_alpha(ratings, level) == pytest.approx(published, abs=0.0005)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "ratings",
    [
        [],
        [[]],
        [[1, 2, 3]],
        [[1, 2, None], [None, None, 3]],
        [[4, 4], [4, 4]],
        [[math.nan, math.inf], [1, 2]],
    ],
)
def test_alpha_is_undefined_without_pairs_or_without_variation(
    ratings: list[list[Rating]], level: Level
) -> None:
    assert krippendorff_alpha(ratings, level) is None


@pytest.mark.parametrize("level", LEVELS)
def test_perfect_agreement_is_1_and_systematic_disagreement_is_below_0(level: Level) -> None:
    assert krippendorff_alpha([[1, 2, 3], [1, 2, 3]], level) == 1.0
    assert (krippendorff_alpha([[1, 3, 1, 3], [3, 1, 3, 1]], level) or 0) < 0


@pytest.mark.parametrize("level", LEVELS)
def test_rows_may_be_of_unequal_length_and_numbers_of_any_size(level: Level) -> None:
    assert krippendorff_alpha([[1, 2, 3], [1, 2]], level) == 1.0
    assert krippendorff_alpha([[1e308, -1e308, 5e-324], [1e308, -1e308, 5e-324]], level) == 1.0


def test_words_have_no_order() -> None:
    with pytest.raises(ValueError, match="no number"):
        krippendorff_alpha([["low", "high"], ["low", "high"]], "ordinal")


@given(
    ratings=st.lists(
        st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=4, max_size=4),
        min_size=2,
        max_size=4,
    ),
    level=st.sampled_from(LEVELS),
)
def test_alpha_is_that_of_the_coincidence_matrix(
    ratings: list[list[int | None]], level: Level
) -> None:
    expected = by_coincidences(ratings, level)
    found = krippendorff_alpha(ratings, level)
    assert (found is None) == (expected is None)
    assert found is None or (found <= 1 and found == pytest.approx(expected))


def by_coincidences(ratings: list[list[int | None]], level: Level) -> float | None:
    """The long way of the paper: a matrix of coincidences and a matrix of differences."""
    pairs: dict[tuple[int, int], float] = {}
    for column in zip(*ratings, strict=True):
        unit = [value for value in column if value is not None]
        for i, one in enumerate(unit):
            for j, other in enumerate(unit):
                if i != j:
                    pairs[one, other] = pairs.get((one, other), 0) + 1 / (len(unit) - 1)
    sizes = {c: sum(n for (one, _), n in pairs.items() if one == c) for c in range(1, 6)}
    total = sum(sizes.values())

    def difference(c: int, k: int) -> float:
        if level == "nominal":
            return float(c != k)
        if level == "interval":
            return float((c - k) ** 2)
        between = sum(sizes[g] for g in range(min(c, k), max(c, k) + 1))
        return (between - (sizes[c] + sizes[k]) / 2) ** 2 if c != k else 0.0

    expected = sum(sizes[c] * sizes[k] * difference(c, k) for c in sizes for k in sizes)
    observed = sum(n * difference(c, k) for (c, k), n in pairs.items())
    return 1 - (total - 1) * observed / expected if expected > 1e-9 else None
