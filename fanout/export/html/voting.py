"""Votes, scores and rankings: the verdict, how it came about, and every ballot."""

from __future__ import annotations

from typing import assert_never

from fanout.export.html.ballots import ballots_table, raw_answers
from fanout.export.html.cast import Cast, casts
from fanout.export.html.markup import Child, Markup, bdi, el
from fanout.export.html.parts import dotted, folded, section, table
from fanout.export.html.tally import tally_chart, tally_table
from fanout.insight.votes import saved
from fanout.render.palette import letter
from fanout.render.vote_words import rule_words
from fanout.render.words import usd_text
from fanout.snapshot import Snapshot
from fanout.types import BranchState
from fanout.voting.plans import Comparison, Poll, Rubric
from fanout.voting.ranking import Ranking
from fanout.voting.scores import CriterionScore, Scores
from fanout.voting.tally import Tally
from fanout.voting.words import alpha_words, score_text, turnout, verdict


def voting(snapshot: Snapshot) -> Markup | None:
    """None where nobody voted."""
    parts = [_vote(cast, snapshot) for cast in casts(snapshot)]
    if not parts:
        return None
    return section("votes", "The vote" if len(parts) == 1 else "The votes", parts)


def _vote(cast: Cast, snapshot: Snapshot) -> Markup:
    return el(
        "article",
        el("h3", bdi(verdict(cast.outcome, cast.candidates)), class_="verdict"),
        el("p", bdi(cast.about), class_="hold") if cast.about else None,
        _outcome(cast, snapshot),
        el("h4", "Ballots"),
        ballots_table(cast, snapshot),
        raw_answers(cast),
        class_="card figure",
    )


def _outcome(cast: Cast, snapshot: Snapshot) -> Markup:
    match cast.plan:
        case Poll():
            return _poll(cast, cast.plan, snapshot)
        case Rubric():
            return _rubric(cast, cast.plan)
        case Comparison():
            return _ranking(cast, cast.plan)
        case _:
            assert_never(cast.plan)


def _poll(cast: Cast, plan: Poll, snapshot: Snapshot) -> Markup:
    result = cast.outcome
    assert isinstance(result, Tally)
    words = turnout(result)
    points = round(100 * (result.margin or 0))
    if points and result.agreement != 1:
        words.append(f"margin {points} percentage point{'' if abs(points) == 1 else 's'}")
    return el(
        "div",
        el("p", dotted(words), class_="means"),
        tally_chart(cast, result),
        el("p", "A block for each voter · hatched: did not count", class_="hold"),
        el("p", bdi(rule_words(plan)), class_="hold"),
        _not_needed(snapshot),
        folded("As a table", tally_table(cast, result), printed=True),
    )


def _not_needed(snapshot: Snapshot) -> Markup | None:
    called_off = [b for b in snapshot.branches if b.state is BranchState.SKIPPED]
    savings = saved(snapshot)
    if savings is None or any(branch.failure for branch in called_off):
        return None
    calls = "1 vote was" if savings.calls == 1 else f"{savings.calls} votes were"
    amounts = [f"{savings.tokens:,} tokens"] if savings.tokens else []
    amounts += [usd_text(savings.usd)] if savings.usd else []
    about = f": about {' and '.join(amounts)} saved" if amounts else ""
    return el("p", f"{calls} not needed{about}.")


def _rubric(cast: Cast, plan: Rubric) -> Markup:
    result = cast.outcome
    assert isinstance(result, Scores)
    uneven = len({row.criterion.weight for row in result.criteria}) > 1
    rows: list[tuple[Child, ...]] = [
        (
            bdi(row.criterion.title),
            f"{row.criterion.weight:g}" if uneven else "",
            score_text(row.mean),
            score_text(row.median),
            _span(row),
            score_text(row.std),
            str(row.n),
            "disputed" if row.disagreement else "",
        )
        for row in result.criteria
    ]
    rows.append(("Overall", "", score_text(result.overall), "", "", "", str(result.valid), ""))
    heads = ("Criterion", "Weight", "Mean", "Median", "Range", "Spread (SD)", "Judges", "Note")
    scale = f"Scale from {plan.scale.low:g} to {plan.scale.high:g}. {alpha_words(result)}"
    return el(
        "div",
        el("p", scale, class_="means"),
        table(heads, rows, label="Scores by criterion", numbers=range(1, 7)),
    )


def _span(row: CriterionScore) -> str:
    if row.low is None or row.high is None:
        return "–"
    return f"{row.low:g}" if row.low == row.high else f"{row.low:g} to {row.high:g}"


def _ranking(cast: Cast, plan: Comparison) -> Markup:
    result = cast.outcome
    assert isinstance(result, Ranking)
    words = [f"{result.ballots} of {len(cast.voters)} judges ranked"]
    if result.tau is not None:
        words.append(f"agreement in order {result.tau:.2f} (Kendall's tau: 1 same, 0 chance)")
    rows = (
        (
            f"{place.place}, tied" if place.tied else str(place.place),
            bdi(cast.candidates.get(place.candidate, place.candidate)),
            place.words.removesuffix(", tied"),
            f"{place.points:.2f}",
        )
        for place in result.places
    )
    heads = ("Place", "Text", "Judges", "Points")
    return el(
        "div",
        el("p", dotted(words), class_="means"),
        table(heads, rows, label="Places", numbers=(3,)) if result.places else None,
        el("p", "Nobody judged a text of its own model.", class_="hold") if plan.own else None,
        folded("Who saw which order", _orders(cast, plan)),
    )


def _orders(cast: Cast, plan: Comparison) -> Markup:
    orders = [plan.orders.get(voter.branch.id, ()) for voter in cast.voters]
    longest = max(map(len, orders), default=0)
    rows = (
        (
            voter.label,
            *(
                bdi(cast.candidates.get(order[i], order[i])) if i < len(order) else ""
                for i in range(longest)
            ),
        )
        for voter, order in zip(cast.voters, orders, strict=True)
    )
    note = (
        "Each judge saw the texts without names and in an order of its own. The letters in its "
        "reason are these, not those of the columns."
    )
    heads = ("Judge", *(letter(i) for i in range(longest)))
    return el("div", el("p", note, class_="hold"), table(heads, rows, label="Orders of the texts"))
