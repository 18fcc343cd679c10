"""Policies in words: a calm line by default, and each deviation said exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fanout.policies import Budget, FanIn, Hedging, Policies, RetryPolicy
from fanout.render.policy_words import cap_words, fan_in_words, policy_sentence, span_words
from fanout.types import Deadlines


def test_the_defaults_are_one_calm_line() -> None:
    assert policy_sentence(Policies(), Deadlines(), branches=3) == (
        "Waits for all · 4 attempts · 2 min to the first word · no budget"
    )


def test_whatever_differs_is_said() -> None:
    chosen = Policies(
        retries=RetryPolicy(attempts=1),
        fan_in=FanIn(k=2, deadline_s=30),
        hedging=Hedging(enabled=True),
        prefix="off",
        budget=Budget(usd=Decimal("0.05"), tokens=20_000),
        run_s=300,
    )
    sentence = policy_sentence(chosen, Deadlines(first_token_s=None), branches=4, fallbacks=1)
    assert sentence == (
        "Answers after 2 of 4 or 30 s · 1 attempt · no limit to the first word · ends after 5 min "
        "· late calls asked twice · shared beginning not shared · 1 fallback model "
        "· at most $0.05 and 20,000 tokens"
    )
    forced = policy_sentence(replace(chosen, prefix="on"), Deadlines(), branches=4, fallbacks=2)
    assert "shared beginning computed once · 2 fallback models" in forced


@pytest.mark.parametrize(
    ("fan_in", "words"),
    [
        (FanIn(), "Waits for all"),
        (FanIn(k=3), "Waits for all"),
        (FanIn(k=9), "Waits for all"),
        (FanIn(k=1), "Answers after 1 of 3"),
        (FanIn(deadline_s=0.5), "Answers after 0.5 s"),
        (FanIn(k=5, deadline_s=120), "Answers after 2 min"),
    ],
)
def test_asking_for_as_many_as_there_are_is_waiting_for_all(fan_in: FanIn, words: str) -> None:
    assert fan_in_words(fan_in, 3) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "0.5 s"),
        (90, "90 s"),
        (120, "2 min"),
        (125, "2 min 5 s"),
        (100.5, "100.5 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (3605, "1 h 5 s"),
    ],
)
def test_a_chosen_length_is_said_exactly(seconds: float, words: str) -> None:
    assert span_words(seconds) == words


@pytest.mark.parametrize(
    ("usd", "words"),
    [("0.05", "$0.05"), ("12", "$12.00"), ("0.00050", "$0.0005"), ("1E+3", "$1,000.00")],
)
def test_a_cap_is_said_to_the_last_digit(usd: str, words: str) -> None:
    assert cap_words(Decimal(usd)) == words
