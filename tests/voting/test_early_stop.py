"""Ending a vote early: compared with every way in which it could have gone on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.types import BranchId
from fanout.voting.ballot import Ballot
from fanout.voting.early_stop import chance_of_staying_ahead, likely, settled
from fanout.voting.rules import Rule
from fanout.voting.tally import tally

OPTIONS = ("allow", "flag", "block")
RULES = [
    Rule(kind="plurality"),
    Rule(kind="plurality", options=OPTIONS),
    Rule(kind="majority"),
    Rule(kind="majority", options=OPTIONS),
    Rule(kind="unanimity"),
    Rule(kind="unanimity", options=OPTIONS),
    Rule(kind="unanimity", safe="flag", options=OPTIONS),
    Rule(kind="any_block", options=OPTIONS),
    Rule(kind="any_block", strict="flag", options=OPTIONS),
    Rule(kind="any_block", strict="block"),
    *(Rule(kind="k_of_n", k=k) for k in (1, 2, 3)),
    *(Rule(kind="k_of_n", k=k, options=OPTIONS) for k in (1, 2, 3)),
    Rule(kind="weighted"),
    Rule(kind="weighted", options=OPTIONS),
]
CHOICES = [*OPTIONS, "odd", None]
WEIGHTS = st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0, 2.5, -1.0, float("nan")])
Cast = tuple[str | None, float]


def ballots(cast: list[Cast]) -> list[Ballot]:
    return [
        Ballot(voter=BranchId(str(i)), choice=choice, weight=weight)
        for i, (choice, weight) in enumerate(cast)
    ]


def outcome(cast: list[Cast], rule: Rule) -> tuple[str | None, frozenset[str]]:
    result = tally(ballots(cast), rule, asked=len(cast))
    return result.winner, frozenset(result.tied)


def truly_settled(cast: list[Cast], rule: Rule, weights: list[float]) -> bool:
    """By trying every completion, with two labels that nobody has given yet."""
    now = outcome_with(cast, [None] * len(weights), weights, rule)
    return all(
        outcome_with(cast, completion, weights, rule) == now
        for completion in product([*CHOICES, "new", "newer"], repeat=len(weights))
    )


def outcome_with(
    cast: list[Cast],
    choices: Sequence[str | None],
    weights: list[float],
    rule: Rule,
) -> tuple[str | None, frozenset[str]]:
    return outcome([*cast, *zip(choices, weights, strict=True)], rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.kind}-{r.k}-{len(r.options)}")
@settings(max_examples=60, deadline=None)
@given(
    cast=st.lists(st.tuples(st.sampled_from(CHOICES), WEIGHTS), max_size=6),
    weights=st.lists(WEIGHTS, max_size=3),
)
def test_a_vote_is_settled_exactly_when_no_completion_changes_it(
    rule: Rule, cast: list[Cast], weights: list[float]
) -> None:
    assert settled(ballots(cast), rule, weights) == truly_settled(cast, rule, weights)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.kind}-{r.k}-{len(r.options)}")
@settings(max_examples=60, deadline=None)
@given(cast=st.lists(st.tuples(st.sampled_from(CHOICES), WEIGHTS), max_size=12))
def test_stopping_when_settled_gives_the_outcome_of_all_votes(rule: Rule, cast: list[Cast]) -> None:
    for seen in range(len(cast) + 1):
        left = cast[seen:]
        if settled(ballots(cast[:seen]), rule, [weight for _, weight in left]):
            asked = [*cast[:seen], *((None, weight) for _, weight in left)]
            assert outcome(asked, rule) == outcome(cast, rule)
            break
    else:
        pytest.fail("a vote with nothing left is settled")


@pytest.mark.parametrize(
    ("rule", "choices", "remaining", "expected"),
    [
        (RULES[0], ["x", "x", "x"], 2, True),
        (RULES[0], ["x", "x"], 2, False),
        (RULES[0], ["x", "x", "y"], 1, False),
        (RULES[2], ["x", "x", "x"], 2, True),
        (RULES[2], ["x", "x"], 2, False),
        (RULES[2], ["x", "y", "z"], 1, True),
        (RULES[5], ["flag"], 2, False),
        (RULES[5], ["block", "block"], 1, True),
        (RULES[7], ["allow", "block"], 3, True),
        (RULES[7], ["allow", "allow", "allow"], 1, False),
        (RULES[0], [], 3, False),
        (RULES[0], [], 0, True),
    ],
)
def test_clear_cases_end_as_worked_out_by_hand(
    rule: Rule, choices: list[str], remaining: int, expected: bool
) -> None:
    assert settled(ballots([(c, 1.0) for c in choices]), rule, remaining) is expected


def test_the_chance_is_the_beta_integral_of_adaptive_consistency() -> None:
    # 1 - I_1/2(v1 + 1, v2 + 1), by hand: (1, 0): 3/4; (3, 0): 15/16; (4, 0): 31/32; (2, 1): 11/16.
    assert chance_of_staying_ahead(1, 0) == 3 / 4
    assert chance_of_staying_ahead(3, 0) == 15 / 16
    assert chance_of_staying_ahead(4, 0) == 31 / 32
    assert chance_of_staying_ahead(2, 1) == 11 / 16
    assert chance_of_staying_ahead(7, 7) == 0.5


@given(first=st.integers(0, 30), second=st.integers(0, 30))
def test_the_chance_agrees_with_numerical_integration(first: int, second: int) -> None:
    steps = 2000
    xs = [(i + 0.5) / steps for i in range(steps)]
    density = [x**first * (1 - x) ** second for x in xs]
    above = sum(density[steps // 2 :]) / sum(density)
    assert chance_of_staying_ahead(first, second) == pytest.approx(above, abs=1e-4)


def test_four_equal_answers_of_forty_are_enough_at_95_percent_and_three_are_not() -> None:
    rule = Rule(kind="plurality")
    assert not likely(ballots([("x", 1.0)] * 3), rule, 37)
    assert likely(ballots([("x", 1.0)] * 4), rule, 36)
    assert not settled(ballots([("x", 1.0)] * 4), rule, 36)
    assert not likely(ballots([("x", 1.0)] * 4), rule, 36, confidence=0.99)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.kind}-{r.k}-{len(r.options)}")
@given(
    choices=st.lists(st.sampled_from(CHOICES), max_size=9),
    remaining=st.integers(0, 9),
    confidence=st.floats(0, 1),
)
def test_likely_follows_settled_and_guesses_only_for_plurality_and_majority(
    rule: Rule, choices: list[str | None], remaining: int, confidence: float
) -> None:
    cast = ballots([(choice, 1.0) for choice in choices])
    sure, probable = settled(cast, rule, remaining), likely(cast, rule, remaining, confidence)
    assert probable or not sure
    if rule.kind not in ("plurality", "majority"):
        assert probable == sure


def test_a_tie_is_never_likely_to_stay_whatever_confidence_is_asked() -> None:
    cast = ballots([("x", 1.0), ("y", 1.0)])
    assert not likely(cast, Rule(kind="plurality"), 5, confidence=0.0)
    assert not likely(cast, Rule(kind="plurality"), 5, confidence=float("nan"))
