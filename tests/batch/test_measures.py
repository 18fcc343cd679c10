"""A row's result, by hand: what was decided, what it cost, and what is left unsaid."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from fanout.batch.measures import row_result, stopped_by_budget
from fanout.batches import RowState
from fanout.snapshot import Aggregate, Branch, Phase, Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointId,
    Failure,
    FailureKind,
    Message,
    ModelRef,
    Price,
    RunId,
    RunStatus,
    Usage,
)
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison, Poll
from fanout.voting.rules import Rule

MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
PRICE = Price(input=Decimal(1), output=Decimal(4), source="test")
FREE = Price(input=Decimal(0), output=Decimal(0), source="free")
LATE = Failure(kind=FailureKind.TIMEOUT_IDLE, message="Nothing came for 60 s.")
BROKEN = Failure(kind=FailureKind.SERVER, message="The endpoint broke.")


def call(name: str, text: str = "", state: BranchState = BranchState.DONE) -> Branch:
    states = (BranchState.QUEUED, BranchState.WAITING, BranchState.WRITING, state)
    return Branch(
        plan=BranchPlan(
            id=BranchId(name),
            title=name.title(),
            model=MODEL,
            messages=(Message(role="user", content="x"),),
        ),
        phases=tuple(Phase(state=s, since_s=t) for s, t in zip(states, (0, 0, 1, 4), strict=True)),
        text=text,
        pieces=40,
        usage=Usage(input=10, output=40),
        cost=Cost(usd=Decimal("0.002"), price=PRICE),
    )


def run(*branches: Branch, status: RunStatus = RunStatus.SUCCEEDED) -> Snapshot:
    return Snapshot(
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="t",
        started_at=0,
        at=5.0,
        status=status,
        branches=branches,
    )


def combined(snapshot: Snapshot, made: Branch, kind: str = "synthesis") -> Snapshot:
    used = tuple(branch.id for branch in snapshot.branches if branch.state.succeeded)
    aggregate = Aggregate(kind=kind, heading="H", used=used, branch=made)
    return replace(snapshot, aggregate_kind=kind, aggregates=(aggregate,))


def test_a_row_has_the_combined_answer_and_what_all_calls_took() -> None:
    snapshot = combined(run(call("a", "one"), call("b", "two")), call(AGGREGATE, "both"))
    result = row_result(snapshot)
    assert result.state is RowState.SUCCEEDED
    assert result.answer == "both"
    assert result.cost is not None
    assert result.cost.usd == Decimal("0.006")
    assert (result.input_tokens, result.output_tokens) == (30, 120)
    assert (result.wall_s, result.sequential_s) == (5.0, 12.0)
    assert (result.branches, result.failed) == (2, 0)
    assert result.measures["speed_up"] == pytest.approx(12 / 5)
    assert (result.cause, result.message, result.verdict) == (None, "", None)


def test_the_aggregates_failure_decides_before_a_branchs() -> None:
    lost = replace(call("a", state=BranchState.TIMED_OUT), failure=LATE)
    made = replace(call(AGGREGATE, "half an ans", BranchState.FAILED), failure=BROKEN)
    partial = run(lost, call("b", "two"), status=RunStatus.PARTIAL)
    assert row_result(combined(partial, made)).cause is FailureKind.SERVER
    whole = row_result(combined(partial, call(AGGREGATE, "all of it")))
    assert (whole.state, whole.cause, whole.failed) == (RowState.PARTIAL, LATE.kind, 1)
    assert whole.message == LATE.message


def test_half_an_answer_is_no_answer() -> None:
    made = replace(call(AGGREGATE, "half an ans", BranchState.FAILED), failure=BROKEN)
    assert row_result(combined(run(call("a", "one")), made)).answer == ""


def test_where_nothing_combines_the_branches_are_the_answer() -> None:
    assert row_result(run(call("a", "one"))).answer == "one"
    lost = replace(call("c", "thr", BranchState.FAILED), failure=BROKEN)
    assert row_result(run(call("a", "one"), call("b", "two"), lost)).answer == (
        "## A\n\none\n\n## B\n\ntwo"
    )


def test_an_unknown_cost_stays_unknown_and_a_free_one_is_known() -> None:
    unpriced = replace(call("b"), cost=None)
    assert row_result(run(call("a"), unpriced)).cost is None
    free = replace(call("a"), cost=Cost(usd=Decimal(0), price=FREE))
    cost = row_result(run(free)).cost
    assert cost is not None
    assert cost.price.free
    mixed = row_result(run(free, call("b"))).cost
    assert mixed is not None
    assert not mixed.price.free


def voter(name: str, choice: str | None) -> Branch:
    problem = "" if choice else "It chose nothing."
    ballot = Ballot(voter=BranchId(name), choice=choice, problem=problem)
    return replace(call(name), ballot=ballot)


def test_votes_have_a_verdict_and_an_agreement() -> None:
    voters = (voter("a", "block"), voter("b", "block"), voter("c", "allow"), voter("d", None))
    snapshot = replace(run(*voters), vote=Poll(rule=Rule(kind="plurality")))
    result = row_result(snapshot)
    assert result.verdict == "block"
    assert result.agreement == pytest.approx(2 / 3)
    assert result.measures["margin"] == pytest.approx(1 / 3, abs=1e-4)
    assert result.measures["valid_votes"] == 3


def test_a_tie_has_no_verdict() -> None:
    snapshot = replace(
        run(voter("a", "block"), voter("b", "allow")), vote=Poll(rule=Rule(kind="plurality"))
    )
    assert row_result(snapshot).verdict is None


def test_a_ranking_names_its_winner_by_title() -> None:
    judges = [
        replace(
            call(name),
            ballot=Ballot(voter=BranchId(name), choice=None, ranking=ranking),
        )
        for name, ranking in (("j1", ("a", "b")), ("j2", ("a", "b")), ("j3", ("b", "a")))
    ]
    plan = Comparison(candidates={"a": "Poem", "b": "Joke"}, orders={})
    snapshot = combined(run(call("a", "x"), call("b", "y")), call(AGGREGATE, "x"), "best_of_n")
    made = replace(snapshot.aggregates[0], before=tuple(judges), vote=plan)
    result = row_result(replace(snapshot, aggregates=(made,)))
    assert result.verdict == "Poem"
    assert result.agreement == pytest.approx(2 / 3)


def test_a_run_that_goes_on_has_no_result() -> None:
    with pytest.raises(ValueError, match="still running"):
        row_result(run(call("a"), status=RunStatus.RUNNING))


def test_an_interrupted_run_waits_to_be_taken_up_again() -> None:
    result = row_result(run(call("a"), status=RunStatus.INTERRUPTED))
    assert result.state is RowState.STOPPED


def test_long_texts_are_not_compared() -> None:
    short = row_result(run(call("a", "one and two"), call("b", "three and four")))
    assert "independence" in short.measures
    long = run(*(call(name, f"{name} text " * 100_000) for name in "abc"))
    began = time.process_time()
    assert "independence" not in row_result(long).measures
    assert time.process_time() - began < 1


def test_what_the_batchs_budget_left_out_is_told_apart_from_other_failures() -> None:
    said = "Skipped: $0.01 of the batch's $5.00 is left."
    failure = Failure(kind=FailureKind.BUDGET, message=said)
    skipped = replace(call("a", state=BranchState.SKIPPED), failure=failure)
    snapshot = run(skipped, call("b", "two"), status=RunStatus.PARTIAL)
    assert stopped_by_budget(snapshot) == failure
    assert row_result(snapshot).failed == 1
    for other in (BROKEN, Failure(kind=FailureKind.BUDGET, message="$0 of the run's $5.00 left.")):
        own = replace(skipped, failure=other)
        assert stopped_by_budget(run(own, status=RunStatus.FAILED)) is None
