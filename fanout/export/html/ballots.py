"""Every ballot as a table, and below it the raw text that each of them was read from."""

from __future__ import annotations

from collections.abc import Sequence

from fanout.export.html.cast import Cast, Voter
from fanout.export.html.markup import Child, Markup, bdi, el
from fanout.export.html.measures import cost_words
from fanout.export.html.parts import folded, table
from fanout.insight.speed import span_s, usage
from fanout.render.vote_words import fate
from fanout.render.words import seconds_text
from fanout.snapshot import Snapshot
from fanout.voting.plans import Comparison, Poll, Rubric
from fanout.voting.scores import Scores
from fanout.voting.words import score_text


def ballots_table(cast: Cast, snapshot: Snapshot) -> Markup:
    """A row for each voter, in column order; columns that say nothing are left out."""
    heads = _heads(cast)
    rows = [
        (
            voter.label,
            *_cells(voter, cast),
            bdi(fate(voter.branch, voter.ballot, cast.outcome)),
            bdi(" ".join(voter.ballot.reason.split()) if voter.ballot else ""),
            *_numbers(voter, snapshot),
        )
        for voter in cast.voters
    ]
    shown = ("Voter", *heads, "State", "Reason", "Time", "Tokens", "Cost")
    figures = range(len(shown) - 3, len(shown))
    return table(shown, _blanked(rows), label="Ballots", numbers=figures)


def raw_answers(cast: Cast) -> Markup | None:
    """Each voter's text as it came: never as Markdown, since it may be made to mislead."""
    parts = [
        el("div", el("p", voter.label, class_="eyebrow"), el("pre", voter.branch.text, dir="auto"))
        for voter in cast.voters
        if voter.branch.text
    ]
    return folded("Raw answers", parts) if parts else None


def _heads(cast: Cast) -> tuple[str, ...]:
    match cast.plan:
        case Poll():
            return ("Vote", "Category", "Severity", "Weight")
        case Rubric():
            return ("Total", *(one.title for one in cast.plan.criteria))
        case Comparison():
            return ("Ranking",)


def _cells(voter: Voter, cast: Cast) -> tuple[str, ...]:
    """What a ballot of this kind holds; blanks where it doesn't count."""
    ballot = voter.ballot
    if ballot is None or not voter.valid:
        return ("",) * len(_heads(cast))
    match cast.plan:
        case Poll():
            severity = "" if ballot.severity is None else f"{ballot.severity} of 4"
            weight = f"{ballot.weight:g}" if cast.plan.rule.kind == "weighted" else ""
            return (ballot.choice or "", ballot.category, severity, weight)
        case Rubric():
            result = cast.outcome
            assert isinstance(result, Scores)
            totals = {judge.voter: score_text(judge.total) for judge in result.judges}
            scores = (ballot.scores.get(one.id) for one in cast.plan.criteria)
            return (
                totals.get(voter.branch.id, ""),
                *("" if score is None else f"{score:g}" for score in scores),
            )
        case Comparison():
            return (" > ".join(cast.candidates.get(one, one) for one in ballot.ranking),)


def _numbers(voter: Voter, snapshot: Snapshot) -> tuple[str, str, str]:
    branch = voter.branch
    if not any(go.started_s is not None for go in branch.goes):
        return "", "", ""
    spent = sum(span_s(go, snapshot.at) for go in branch.goes)
    return (
        seconds_text(spent),
        f"{usage(branch).output:,}",
        cost_words(branch),
    )


def _blanked(rows: Sequence[Sequence[Child]]) -> list[tuple[Child, ...]]:
    """An empty <bdi> is nothing to show."""
    return [tuple("" if cell == "<bdi></bdi>" else cell for cell in row) for row in rows]
