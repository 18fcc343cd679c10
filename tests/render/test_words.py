"""Numbers and states are said in one way everywhere."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fanout.events import AttemptFailed, AttemptStarted, BranchFinished, BranchQueued, BranchWrote
from fanout.fold import _apply_branch
from fanout.render import words
from fanout.snapshot import Branch
from fanout.types import (
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    Price,
    RunStatus,
    Usage,
)

ID = BranchId("poem")
FREE = Cost(usd=Decimal(0), price=Price(input=Decimal(0), output=Decimal(0), source="here"))


def branch(*events) -> Branch:
    plan = BranchPlan(
        id=ID, title="Poem", model=ModelRef(endpoint=EndpointId("e"), model="m"), messages=()
    )
    state = Branch(plan=plan)
    for event in events:
        state = _apply_branch(state, event)
    return state


def answered(**end) -> Branch:
    return branch(
        BranchQueued(at=0.0, id=ID),
        AttemptStarted(at=0.1, id=ID, attempt=1),
        BranchWrote(at=0.5, id=ID, text="A", pieces=1),
        BranchWrote(at=2.0, id=ID, text=" b", pieces=140),
        BranchFinished(at=2.8, id=ID, state=BranchState.DONE, **end),
    )


@pytest.mark.parametrize("state", list(BranchState))
def test_every_state_has_a_word(state):
    assert words.state_word(state)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_of_failure_has_a_word(kind):
    assert words.kind_word(kind)


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_run_status_has_a_word(status):
    assert words.run_word(status)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0.00"),
        ("0.00000412", "$0.0000041"),
        ("0.00123", "$0.0012"),
        ("0.0996", "$0.100"),
        ("0.25", "$0.25"),
        ("12.3", "$12.30"),
    ],
)
def test_money_has_as_many_digits_as_it_needs(usd, text):
    assert words.usd_text(Decimal(usd)) == text


def test_unknown_money_is_never_zero():
    assert words.cost_text(None) == "unknown"
    assert words.money_text(None) == "cost unknown"
    assert words.cost_text(FREE) == "free"


def test_calls_that_cost_nothing_are_free_only_where_their_price_is():
    priced = Cost(usd=Decimal(0), price=Price(input=Decimal(1), output=Decimal(1), source="list"))
    assert words.spent_text([answered(cost=FREE)]) == "free"
    assert words.spent_text([answered(cost=FREE), answered(cost=priced)]) == "$0.00"
    assert words.spent_text([answered()]) == "cost unknown"
    refused = Failure(kind=FailureKind.BUDGET, message="Skipped.")
    skipped = branch(BranchFinished(at=1.0, id=ID, state=BranchState.SKIPPED, failure=refused))
    assert words.spent_text([skipped]) == "$0.00"
    assert words.nothing_paid_text([priced]) == "Nothing was charged: no call used any tokens."
    assert words.nothing_paid_text([FREE]) == "Nothing to pay."
    assert words.nothing_paid_text([None]) == "No price is known for this model."


def test_what_was_paid_before_a_free_model_answered_is_told():
    assert words.cost_text(replace(FREE, usd=Decimal("0.02"))) == words.usd_text(Decimal("0.02"))


def test_an_estimated_cost_says_so():
    price = Price(input=Decimal(1), output=Decimal(1), source="list")
    assert words.cost_text(Cost(usd=Decimal("0.0012"), price=price, estimated=True)) == "≈ $0.0012"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 s"), (0.042, "0.04 s"), (2.81, "2.8 s"), (99.9, "99.9 s"), (125.2, "2 min 5 s")],
)
def test_seconds_keep_a_readable_number_of_digits(seconds, text):
    assert words.seconds_text(seconds) == text


def test_the_metric_line_of_a_free_answer():
    line = words.metric_line(answered(usage=Usage(output=512), cost=FREE), 2.8)
    assert line == "2.8 s · first token 0.4 s · 512 tokens · 223 tok/s · free"


def test_the_metric_line_of_an_uncounted_answer_says_about_and_unknown():
    line = words.metric_line(answered(usage=Usage(output=141, estimated=True)), 2.8)
    assert line == "2.8 s · first token 0.4 s · ≈ 141 tokens · 61 tok/s · cost unknown"


def test_first_token_is_counted_from_the_request_that_was_answered():
    failure = Failure(kind=FailureKind.RATE_LIMIT, message="Wait.")
    tried_twice = branch(
        BranchQueued(at=0.0, id=ID),
        AttemptStarted(at=0.0, id=ID, attempt=1),
        AttemptFailed(at=1.0, id=ID, failure=failure, retry_at=3.0, attempts_allowed=4),
        BranchQueued(at=3.0, id=ID),
        AttemptStarted(at=3.0, id=ID, attempt=2),
        BranchWrote(at=3.5, id=ID, text="A", pieces=1),
    )
    assert words.first_token_wait_s(tried_twice) == 0.5
    assert "backing off 2.0 s" in words.metric_line(tried_twice, 4.0)


def test_a_branch_that_has_not_begun_has_no_numbers():
    assert words.metric_line(branch(), 5.0) == ""


def test_a_branch_that_never_asked_says_nothing_about_money():
    skipped = branch(BranchFinished(at=1.0, id=ID, state=BranchState.SKIPPED))
    assert "cost" not in words.metric_line(skipped, 1.0)
    assert words.end_sentence(skipped) == "Poem is not needed"
