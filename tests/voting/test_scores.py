"""Rubric scores: middle and spread by hand, disagreement, and scores that can't be used."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.errors import DefinitionError
from fanout.types import BranchId
from fanout.voting.ballot import Ballot
from fanout.voting.scores import Criterion, Scale, rubric_scores, usable_score

CLARITY = Criterion(id="clarity", title="Clarity", weight=1)
TRUTH = Criterion(id="truth", title="Truth", weight=3)
TO_10 = Scale(low=0, high=10)


def judged(*scores: dict[str, float]) -> list[Ballot]:
    return [Ballot(voter=BranchId(str(i)), choice=None, scores=s) for i, s in enumerate(scores)]


def test_three_judges_are_combined_as_by_hand() -> None:
    ballots = judged(
        {"clarity": 6, "truth": 8}, {"clarity": 7, "truth": 9}, {"clarity": 8, "truth": 4}
    )
    result = rubric_scores(ballots, [CLARITY, TRUTH], TO_10)
    clarity, truth = result.criteria
    assert (clarity.n, clarity.mean, clarity.median, clarity.low, clarity.high) == (3, 7, 7, 6, 8)
    assert clarity.std == pytest.approx(1.0)
    assert truth.mean == pytest.approx(7)
    assert truth.std == pytest.approx(math.sqrt(7))
    assert [judge.total for judge in result.judges] == pytest.approx([7.5, 8.5, 5.0])
    assert result.overall == pytest.approx(7.0)
    assert (result.asked, result.valid, result.abstained) == (3, 3, 0)


def test_scores_that_lie_half_the_scale_apart_are_disputed() -> None:
    result = rubric_scores(
        judged({"clarity": 2, "truth": 5}, {"clarity": 2, "truth": 10}), [CLARITY, TRUTH], TO_10
    )
    assert [row.disagreement for row in result.criteria] == [False, True]
    assert result.disagree
    light = rubric_scores(
        judged({"clarity": 2, "truth": 5}, {"clarity": 9, "truth": 9}), [CLARITY, TRUTH], TO_10
    )
    assert [row.disagreement for row in light.criteria] == [True, False]
    assert not light.disagree


def test_a_single_judge_has_no_spread_and_no_agreement() -> None:
    result = rubric_scores(judged({"clarity": 6, "truth": 8}), [CLARITY, TRUTH], TO_10, asked=3)
    assert result.alpha is None
    assert [row.std for row in result.criteria] == [None, None]
    assert not result.disagree
    assert (result.asked, result.valid) == (3, 1)


def test_nobody_scored_leaves_everything_open() -> None:
    for ballots in ([], judged({}), judged({"clarity": math.nan, "truth": 99})):
        result = rubric_scores(ballots, [CLARITY, TRUTH], TO_10)
        assert (result.overall, result.alpha, result.valid, result.judges) == (None, None, 0, ())
        assert [row.mean for row in result.criteria] == [None, None]


def test_a_criterion_left_out_is_not_scored_as_0() -> None:
    result = rubric_scores(judged({"truth": 8}), [CLARITY, TRUTH], TO_10)
    assert result.judges[0].total == pytest.approx(8)
    assert not result.judges[0].complete
    assert result.overall == pytest.approx(8)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_a_weight_that_is_no_number_above_0_counts_nothing(weight: float) -> None:
    odd = Criterion(id="clarity", title="Clarity", weight=weight)
    ballots = judged({"clarity": 1, "truth": 8}, {"clarity": 9, "truth": 8})
    assert rubric_scores(ballots, [odd, TRUTH], TO_10).overall == pytest.approx(8)
    alone = rubric_scores(ballots, [odd], TO_10)
    assert alone.overall is None
    assert not alone.disagree


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7.0),
        (0, 0.0),
        (10, 10.0),
        (7.5, 7.5),
        ("7", 7.0),
        (" 7.5 ", 7.5),
        ("8/10", 8.0),
        ("8 / 10", 8.0),
        ("4/5", None),
        (11, None),
        (-1, None),
        (math.nan, None),
        (math.inf, None),
        (True, None),
        (None, None),
        ("good", None),
        ("7 or 8", None),
        ([7], None),
        (10**400, None),
    ],
)
def test_a_score_is_usable_only_as_a_number_on_the_scale(
    value: object, expected: float | None
) -> None:
    assert usable_score(value, TO_10) == expected


@given(st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()))
def test_a_usable_score_is_always_on_the_scale(value: object) -> None:
    score = usable_score(value, TO_10)
    assert score is None or 0 <= score <= 10


@pytest.mark.parametrize(("low", "high"), [(5, 5), (5, 1), (math.nan, 1), (0, math.inf)])
def test_a_scale_needs_two_numbers_in_order(low: float, high: float) -> None:
    with pytest.raises(DefinitionError):
        Scale(low=low, high=high)
