"""Votes under every rule: tables worked out by hand, and what holds for any votes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.errors import DefinitionError
from fanout.types import BranchId
from fanout.voting.ballot import Ballot
from fanout.voting.rules import Rule
from fanout.voting.tally import spread, tally

MODERATION = ("allow", "flag", "block")
PLURALITY = Rule(kind="plurality")
MAJORITY = Rule(kind="majority", options=MODERATION)
UNANIMITY = Rule(kind="unanimity", options=MODERATION)
ANY_BLOCK = Rule(kind="any_block", options=MODERATION)
TWO_OF_N = Rule(kind="k_of_n", k=2, options=MODERATION)
WEIGHTED = Rule(kind="weighted")
A, F, B = MODERATION


def votes(*choices: str | None, weights: Sequence[float] = ()) -> list[Ballot]:
    return [
        Ballot(
            voter=BranchId(str(i)),
            choice=choice,
            weight=weights[i] if weights else 1.0,
            problem="" if choice else "It answered in prose.",
        )
        for i, choice in enumerate(choices)
    ]


@pytest.mark.parametrize(
    ("rule", "choices", "winner", "tied", "why"),
    [
        (PLURALITY, ["x", "y", "x"], "x", (), "most votes 2 of 3"),
        (PLURALITY, ["x", "y"], None, ("x", "y"), "tie"),
        (PLURALITY, ["x", "y", "z"], None, ("x", "y", "z"), "tie"),
        (PLURALITY, ["x", "x", "y", "y", "z"], None, ("x", "y"), "tie"),
        (PLURALITY, ["x"], "x", (), "most votes 1 of 1"),
        (PLURALITY, [None, "x", None], "x", (), "most votes 1 of 1"),
        (PLURALITY, [], None, (), "no valid vote"),
        (PLURALITY, [None, None], None, (), "no valid vote"),
        (MAJORITY, [A, A, B], A, (), "majority 2 of 3"),
        (MAJORITY, [A, A, B, B], None, (), "no majority"),
        (MAJORITY, [A, A, F, B], None, (), "no majority"),
        (MAJORITY, [A, A, B, None, None], A, (), "majority 2 of 3"),
        (UNANIMITY, [A, A, A], A, (), "unanimous 3 of 3"),
        (UNANIMITY, [A, A, F], F, (), "not unanimous, 1 of 3"),
        (UNANIMITY, [A, F, F, B], F, (), "not unanimous, 2 of 4"),
        (UNANIMITY, [A, F, B], B, (), "not unanimous, 1 of 3, the stricter of equals"),
        (UNANIMITY, [A, A, None], None, (), "not unanimous, 1 of 3 cast no valid vote"),
        (UNANIMITY, [A, B, None], B, (), "not unanimous, 1 of 2"),
        (UNANIMITY, [None], None, (), "no valid vote"),
        (UNANIMITY, ["x", "y", "y", "x"], None, ("x", "y"), "tie"),
        (Rule(kind="unanimity"), ["x", "x"], "x", (), "unanimous 2 of 2"),
        (Rule(kind="unanimity"), ["x", "y", "x"], None, (), "not unanimous"),
        (ANY_BLOCK, [A, A, B], B, (), "any block"),
        (ANY_BLOCK, [A, A, F], A, (), "most votes 2 of 3"),
        (ANY_BLOCK, [A, F], F, (), "most votes 1 of 2, the stricter of equals"),
        (TWO_OF_N, [A, A, B], A, (), "2 needed, 2 of 3"),
        (TWO_OF_N, [A, A, A, F, F, B], F, (), "2 needed, 2 of 6"),
        (TWO_OF_N, [A, F, B], None, (), "none reached 2"),
        (Rule(kind="k_of_n", k=2), ["x", "x", "y", "y"], None, ("x", "y"), "tie"),
        (Rule(kind="k_of_n", k=1), ["x", "y", "y"], "y", (), "1 needed, 2 of 3"),
        (Rule(kind="k_of_n", k=9), ["x", "x"], None, (), "none reached 9"),
    ],
)
def test_a_rule_decides_as_worked_out_by_hand(
    rule: Rule, choices: list[str | None], winner: str | None, tied: tuple[str, ...], why: str
) -> None:
    result = tally(votes(*choices), rule, asked=len(choices))
    assert (result.winner, result.tied, result.decided_by) == (winner, tied, why)


def test_counts_keep_the_order_of_the_options_and_show_those_nobody_chose() -> None:
    counts = tally(votes(B, "odd", A, A), MAJORITY, asked=4).counts
    assert list(counts.items()) == [(A, 2.0), (F, 0.0), (B, 1.0), ("odd", 1.0)]


def test_asked_valid_abstained_and_not_needed_add_up() -> None:
    result = tally(votes("x", "x", None), PLURALITY, asked=5, not_needed=2)
    assert (result.asked, result.valid, result.abstained, result.not_needed) == (5, 2, 1, 2)


def test_a_vote_that_never_came_prevents_a_unanimous_allow_too() -> None:
    assert tally(votes(A, A), UNANIMITY, asked=3).winner is None
    assert tally(votes(A, A), UNANIMITY, asked=2).winner == A


def test_a_ballot_with_a_problem_is_not_counted_whatever_it_chose() -> None:
    ballots = [*votes("x"), Ballot(voter=BranchId("b"), choice="y", problem="Cut off.")]
    result = tally(ballots, PLURALITY, asked=2)
    assert (result.winner, result.valid, result.abstained) == ("x", 1, 1)


def test_a_single_vote_agrees_with_nobody() -> None:
    result = tally(votes("x", None), PLURALITY, asked=2)
    assert result.agreement is None
    assert result.margin is None


@pytest.mark.parametrize(
    ("rule", "choices", "agreement", "margin"),
    [
        (PLURALITY, ["x", "x", "x"], 1.0, 1.0),
        (PLURALITY, ["x", "x", "y"], 2 / 3, 1 / 3),
        (PLURALITY, ["x", "y"], 0.5, 0.0),
        (PLURALITY, ["x", "y", "z"], 1 / 3, 0.0),
        (ANY_BLOCK, [A, A, A, B], 0.25, -0.5),
        (MAJORITY, [A, A, F, B], 0.5, 0.25),
    ],
)
def test_agreement_is_the_share_of_the_winner_or_else_of_the_most_voted(
    rule: Rule, choices: list[str], agreement: float, margin: float
) -> None:
    result = tally(votes(*choices), rule, asked=len(choices))
    assert result.agreement == pytest.approx(agreement)
    assert result.margin == pytest.approx(margin)


def test_weights_are_added_exactly() -> None:
    result = tally(votes("x", "x", "y", weights=[0.1, 0.2, 0.3]), WEIGHTED, asked=3)
    assert result.tied == ("x", "y")


@pytest.mark.parametrize("nonsense", [0.0, -5.0, math.nan, math.inf, -math.inf])
def test_a_weight_that_is_no_number_above_0_moves_nothing(nonsense: float) -> None:
    result = tally(votes("x", "y", weights=[nonsense, 0.5]), WEIGHTED, asked=2)
    assert result.winner == "y"
    assert result.counts == {"x": 0.0, "y": 0.5}
    assert result.agreement == 1.0
    alone = tally(votes("x", "y", weights=[nonsense, nonsense]), WEIGHTED, asked=2)
    assert (alone.winner, alone.tied, alone.agreement) == (None, (), None)
    assert alone.decided_by == "no vote has any weight"


def test_weights_beyond_what_a_float_can_add_do_no_harm() -> None:
    result = tally(votes("x", "x", "y", weights=[1e308] * 3), WEIGHTED, asked=3)
    assert result.winner == "x"
    assert result.agreement == pytest.approx(2 / 3)


def test_a_rule_without_what_it_needs_is_refused() -> None:
    for rule in ({"kind": "k_of_n"}, {"kind": "k_of_n", "k": 0}, {"kind": "any_block"}):
        with pytest.raises(DefinitionError):
            Rule(**rule)


@pytest.mark.parametrize(
    "rule", [PLURALITY, MAJORITY, UNANIMITY, ANY_BLOCK, TWO_OF_N, WEIGHTED], ids=lambda r: r.kind
)
@given(choices=st.lists(st.sampled_from([A, F, B, "odd", None]), max_size=5))
def test_the_order_of_arrival_decides_nothing(rule: Rule, choices: list[str | None]) -> None:
    outcomes = set()
    for order in permutations(choices):
        result = tally(votes(*order), rule, asked=len(choices))
        outcomes.add((result.winner, frozenset(result.tied), result.agreement, result.margin))
    assert len(outcomes) == 1


@pytest.mark.parametrize(
    "rule", [PLURALITY, MAJORITY, UNANIMITY, ANY_BLOCK, TWO_OF_N, WEIGHTED], ids=lambda r: r.kind
)
@given(choices=st.lists(st.sampled_from([A, F, B, None]), max_size=8))
def test_a_tally_never_contradicts_itself(rule: Rule, choices: list[str | None]) -> None:
    result = tally(votes(*choices), rule, asked=len(choices))
    assert result.valid + result.abstained == len(choices)
    assert sum(result.counts.values()) == result.valid
    assert result.winner is None or not result.tied
    assert len(result.tied) != 1
    assert result.winner is None or result.counts[result.winner] > 0
    assert result.decided_by


def test_spread_counts_the_answers_that_there_are_in_effect() -> None:
    assert spread([5]) == pytest.approx(1)
    assert spread([2, 2, 2]) == pytest.approx(3)
    assert spread([1, 0, 1]) == pytest.approx(2)
    assert 1 < (spread([9, 1]) or 0) < 2
    assert spread([]) is None
    assert spread([0, math.nan]) is None
