"""The voting section: what its tables, charts and sentences say about each kind of vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from string import ascii_lowercase
from typing import Any

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from components.votes.ballots import ballots_frame
from components.votes.cast import Cast, casts
from components.votes.poll import count_words, notes
from components.votes.ranking import orders_frame, ranking_chart, ranking_frame
from components.votes.rubric_chart import rubric_chart, rubric_frame
from components.votes.tally_chart import tally_chart, tally_frame
from fanout.render.vote_words import fate, rule_words
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
    ModelRef,
    Price,
    RunId,
    Usage,
)
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison, Poll, Rubric, VotePlan
from fanout.voting.ranking import Ranking
from fanout.voting.rules import Rule, RuleKind
from fanout.voting.scores import Criterion, Scale, Scores
from fanout.voting.tally import Tally

MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
VERDICTS = ("allow", "flag", "block")
MODERATION = Poll(rule=Rule(kind="majority", options=VERDICTS), early_stop="decided")
OPEN = Poll(rule=Rule(kind="plurality"))
PRICE = Price(input=Decimal(0), output=Decimal(10), source="a list")


def voter(name: str, *, state: BranchState = BranchState.DONE, **fields: object) -> Branch:
    """A branch that has ended; `ballot` fields as keywords, `failure` for one that could not."""
    plan = BranchPlan(id=BranchId(name), title=name.upper() * 3, model=MODEL, messages=())
    failure = fields.pop("failure", None)
    cast = Ballot(voter=BranchId(name), **{"choice": None, **fields}) if fields else None  # type: ignore[arg-type]
    usage = Usage(input=10, output=100)
    return Branch(
        plan=plan,
        phases=(Phase(state=BranchState.WAITING, since_s=0.0), Phase(state=state, since_s=2.0)),
        text="raw",
        usage=usage if cast else None,
        cost=Cost(usd=Decimal("0.001"), price=PRICE) if cast else None,
        failure=failure,  # type: ignore[arg-type]
        ballot=cast,
    )


def polled(plan: VotePlan, *branches: Branch) -> Snapshot:
    return Snapshot(
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="t",
        started_at=0.0,
        at=2.0,
        branches=branches,
        vote=plan,
    )


def only(snapshot: Snapshot) -> Cast:
    ((cast, _),) = casts(snapshot, dark=False)
    return cast


def traces(figure: go.Figure) -> tuple[Any, ...]:
    """What a chart draws; Plotly makes its attributes as it goes."""
    return tuple(figure.data)


def answered(*choices: str) -> tuple[Branch, ...]:
    return tuple(
        voter(name, choice=choice) for name, choice in zip(ascii_lowercase, choices, strict=False)
    )


DOWN = Failure(kind=FailureKind.SERVER, message="The server is down.")
ALL_FATES = polled(
    MODERATION,
    voter("a", choice="block", said="BLOCK.", reason="Rude\nwords.", category="hate", severity=3),
    voter("b", choice="allow", category="none", severity=0),
    voter("c", choice="block"),
    voter("d", choice=None, problem="The answer holds no verdict."),
    voter("e", state=BranchState.FAILED, failure=DOWN),
    voter("f", state=BranchState.SKIPPED),
)


def test_the_tally_shows_every_option_and_who_stands_where() -> None:
    cast = only(ALL_FATES)
    assert isinstance(cast.outcome, Tally)
    frame = tally_frame(cast, cast.outcome)
    assert frame.drop(columns="Written as").to_numpy().tolist() == [
        ["block", "2", "67%", "A AAA, C CCC"],
        ["allow", "1", "33%", "B BBB"],
        ["flag", "0", "0%", ""],
        ["abstained", "2", "", "D DDD, E EEE"],
        ["not needed", "1", "", "F FFF"],
    ]


def test_who_does_not_count_is_hatched_and_named_in_the_chart() -> None:
    cast = only(ALL_FATES)
    assert isinstance(cast.outcome, Tally)
    figure = tally_chart(cast, cast.outcome, dark=True)
    hatched = {bar.text[0] for bar in traces(figure) if bar.marker.pattern.shape == "/"}
    assert hatched == {"D", "E", "F"}
    rows = ("block: 2", "allow: 1", "flag: 0", "abstained", "not needed")
    assert figure.layout.yaxis.ticktext == rows
    assert len({bar.marker.line.color for bar in traces(figure) if bar.text[0] in "DEF"}) == 3


def test_every_ballot_says_what_became_of_it() -> None:
    cast = only(ALL_FATES)
    assert [fate(one.branch, one.ballot, cast.outcome) for one in cast.voters] == [
        "voted",
        "voted, minority",
        "voted",
        "abstained: The answer holds no verdict.",
        "failed: The server is down.",
        "not needed",
    ]
    frame = ballots_frame(cast, ALL_FATES)
    assert frame.iloc[0].tolist() == [
        "A AAA", "block", "voted", "hate", "3 of 4", "Rude words.", "2.0 s", "100", "$0.0010",
    ]  # fmt: skip


def test_columns_that_say_nothing_are_left_out() -> None:
    snapshot = polled(OPEN, *answered("36", "12"))
    assert [*ballots_frame(only(snapshot), snapshot)] == [
        "Voter", "Vote", "State", "Time", "Tokens", "Cost",
    ]  # fmt: skip


def test_a_weighted_vote_counts_and_shows_weights() -> None:
    plan = Poll(rule=Rule(kind="weighted"))
    snapshot = polled(plan, voter("a", choice="x", weight=2.5), voter("b", choice="y"))
    cast = only(snapshot)
    assert isinstance(cast.outcome, Tally)
    assert [bar.x[0] for bar in traces(tally_chart(cast, cast.outcome, dark=False))] == [2.5, 1.0]
    assert ballots_frame(cast, snapshot)["Weight"].tolist() == ["2.5", "1"]


def test_the_ways_an_answer_was_written_are_told() -> None:
    cast = only(polled(OPEN, voter("a", choice="36", said="$36.0$"), voter("b", choice="12")))
    assert isinstance(cast.outcome, Tally)
    assert tally_frame(cast, cast.outcome)["Written as"].tolist() == ["$36.0$", ""]


def test_an_answer_named_like_a_fate_keeps_its_own_row() -> None:
    cast = only(polled(OPEN, voter("a", choice="abstained"), voter("b", choice=None, problem="-")))
    assert isinstance(cast.outcome, Tally)
    assert tally_frame(cast, cast.outcome)["Who"].tolist() == ["A AAA", "B BBB"]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (["x"], ["1 valid of 1 asked", "one vote, nothing to agree with"]),
        (["x", "x"], ["2 valid of 2 asked", "agreement 100%"]),
        (
            ["x", "x", "y"],
            [
                "3 valid of 3 asked",
                "agreement 67%",
                "margin 33 percentage points",
                "2 different answers",
            ],
        ),
    ],
)
def test_agreement_and_margin_are_said_where_there_are_any(
    choices: list[str], words: list[str]
) -> None:
    outcome = only(polled(OPEN, *answered(*choices))).outcome
    assert isinstance(outcome, Tally)
    assert count_words(outcome, OPEN) == words


def test_votes_that_were_not_needed_say_what_they_saved() -> None:
    outcome = only(ALL_FATES).outcome
    assert isinstance(outcome, Tally)
    (line,) = notes(outcome, MODERATION, ALL_FATES)
    assert line.replace("\\", "").endswith(
        "1 vote was not needed: about 100 tokens and $0.0010 saved"
    )


def test_a_vote_that_the_budget_called_off_saved_nothing() -> None:
    spent = Failure(kind=FailureKind.BUDGET, message="The budget is used up.")
    snapshot = polled(
        OPEN, voter("a", choice="x"), voter("b", state=BranchState.SKIPPED, failure=spent)
    )
    cast = only(snapshot)
    assert isinstance(cast.outcome, Tally)
    assert notes(cast.outcome, OPEN, snapshot) == []
    assert (
        fate(cast.voters[1].branch, cast.voters[1].ballot, cast.outcome)
        == "not asked: The budget is used up."
    )


def test_an_even_tie_is_answered_with_a_hint() -> None:
    snapshot = polled(OPEN, *answered("x", "y"))
    outcome = only(snapshot).outcome
    assert isinstance(outcome, Tally)
    (hint,) = notes(outcome, OPEN, snapshot)
    assert "odd number" in hint


@pytest.mark.parametrize("kind", ["plurality", "majority", "unanimity", "any_block", "weighted"])
def test_every_rule_has_its_sentence(kind: RuleKind) -> None:
    words = rule_words(Poll(rule=Rule(kind=kind, options=VERDICTS), early_stop="likely"))
    assert words.startswith("Rule: ")
    assert words.endswith("with 95 %.")
    one = rule_words(Poll(rule=Rule(kind="k_of_n", k=1)))
    assert one == "Rule: the most voted answer with at least 1 vote."


RUBRIC = Rubric(
    criteria=(
        Criterion(id="clarity", title="Clarity"),
        Criterion(id="depth", title="Depth", weight=2.0),
    ),
    scale=Scale(low=1, high=5),
)


def scored(*judges: Mapping[str, float]) -> Snapshot:
    return polled(
        RUBRIC,
        *(
            voter(name, choice="scored", scores=scores)
            for name, scores in zip(ascii_lowercase, judges, strict=False)
        ),
    )


def test_a_rubric_shows_a_dot_per_judge_and_the_middle_per_criterion() -> None:
    snapshot = scored({"clarity": 5, "depth": 4}, {"clarity": 1})
    cast = only(snapshot)
    assert isinstance(cast.outcome, Scores)
    frame = rubric_frame(cast.outcome)
    assert frame.to_numpy().tolist() == [
        ["Clarity", "1", "3.0", "3.0", "1 to 5", "2.8", "2", "disputed"],
        ["Depth", "2", "4.0", "4.0", "4", "–", "1", ""],
        ["Overall", "", "3.7", "", "", "", "2", ""],
    ]
    figure = rubric_chart(cast, RUBRIC, cast.outcome, dark=False)
    dots = {dot.text[0]: list(dot.x) for dot in traces(figure) if dot.text}
    assert dots == {"A": [5, 4], "B": [1]}
    assert figure.layout.yaxis.ticktext == ("Clarity<br>disputed", "Depth")
    columns = ballots_frame(cast, snapshot)[["Total", "Clarity", "Depth"]]
    assert columns.to_numpy().tolist() == [["4.3", "5", "4"], ["1.0", "1", ""]]


def ranked(own: Mapping[BranchId, str] | None = None) -> Snapshot:
    """Two branches judged by two judges of a best of n."""
    a, b = voter("a"), voter("b")
    orders = {BranchId("j1"): ("b", "a"), BranchId("j2"): ("a", "b")}
    plan = Comparison(candidates={"a": "AAA", "b": "BBB"}, orders=orders, own=own or {})
    made = Aggregate(
        kind="best",
        heading="Best answer of 2 of 2",
        used=(a.id, b.id),
        branch=Branch(
            plan=BranchPlan(id=AGGREGATE, title="Best", model=MODEL, messages=()),
        ),
        before=(
            voter("j1", choice="a", ranking=("a", "b")),
            voter("j2", choice="b", ranking=("b", "a")),
        ),
        vote=plan,
    )
    return replace(polled(OPEN, a, b), vote=None, aggregates=(made,))


def test_judges_of_the_branches_are_drawn_with_the_branches_letters() -> None:
    snapshot = ranked()
    cast = only(snapshot)
    assert isinstance(cast.outcome, Ranking)
    assert ranking_frame(cast, cast.outcome).to_numpy().tolist() == [
        ["1, tied", "A AAA", "1 of 2 ranked it first", "0.50"],
        ["1, tied", "B BBB", "1 of 2 ranked it first", "0.50"],
    ]
    assert ballots_frame(cast, snapshot)["Ranking"].tolist() == ["A AAA > B BBB", "B BBB > A AAA"]
    (bars,) = traces(ranking_chart(cast, cast.outcome))
    assert len(set(bars.marker.color)) == 2
    assert [one.name for one in cast.voters] == ["J1J1J1", "J2J2J2"]


def test_who_saw_which_order_is_told_with_what_was_kept_from_whom() -> None:
    snapshot = ranked({BranchId("j1"): "a"})
    cast = only(snapshot)
    assert isinstance(cast.plan, Comparison)
    assert orders_frame(cast, cast.plan).to_numpy().tolist() == [
        ["J1J1J1", "B BBB", "A AAA", "A AAA"],
        ["J2J2J2", "A AAA", "B BBB", ""],
    ]


def page_with_judges() -> None:
    """Run by the test below as a page of its own."""
    from components.votes import votes
    from fanout.types import BranchId
    from tests.components.test_votes import ranked

    votes(ranked({BranchId("j1"): "a"}), dark=True)


def test_the_judges_of_a_combined_answer_have_a_section_too() -> None:
    app = AppTest.from_function(page_with_judges, default_timeout=30).run()
    assert not app.exception
    assert [one.value for one in app.header] == ["B BBB is ranked first"]
    said = "\n".join(one.value for one in app.caption)
    assert "Best answer of 2 of 2" in said
    assert "1 of 2 judges ranked" in said
    assert "Nobody judged a text of its own model." in said
    assert len(app.dataframe) == 3


def test_where_nobody_voted_nothing_is_drawn() -> None:
    assert list(casts(replace(polled(OPEN, voter("a")), vote=None), dark=False)) == []
