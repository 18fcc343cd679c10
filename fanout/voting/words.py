"""Outcomes as Markdown: who won, by how much, what the minority said, who abstained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from fanout.voting.ballot import Ballot
from fanout.voting.plans import Outcome
from fanout.voting.ranking import Ranking
from fanout.voting.scores import Scores
from fanout.voting.tally import Tally


def outcome_text(result: Outcome, titles: Mapping[str, str], ballots: Sequence[Ballot] = ()) -> str:
    """The outcome in words. `titles` names voters, and candidates of a ranking, by their ids."""
    match result:
        case Tally():
            return tally_text(result, titles, ballots)
        case Scores():
            return scores_text(result, titles, ballots)
        case Ranking():
            return ranking_text(result, titles, ballots)
        case _:
            assert_never(result)


def tally_text(result: Tally, titles: Mapping[str, str], ballots: Sequence[Ballot] = ()) -> str:
    """Verdict, count of each label, then the ballots that went against it, with their reasons."""
    parts = [f"**{_verdict(result)}**", _counts(result)]
    reasons = _reasons(ballots, titles, [b for b in ballots if b.choice == result.winner])
    if result.winner is not None and reasons:
        parts.append(f"Reasons:\n\n{reasons}")
    against = [b for b in ballots if b.choice is not None and b.choice != result.winner]
    minority = _reasons(ballots, titles, against)
    if minority:
        title = "Minority" if result.winner is not None else "Votes"
        parts.append(f"{title}:\n\n{minority}")
    silent = [b for b in ballots if b.choice is None]
    if silent:
        lines = "\n".join(f"- {titles.get(b.voter, b.voter)}: {b.problem}" for b in silent)
        parts.append(f"Abstained:\n\n{lines}")
    return "\n\n".join(parts)


def scores_text(result: Scores, titles: Mapping[str, str], ballots: Sequence[Ballot] = ()) -> str:
    """A table of the criteria, then how far the judges agree, then what they said."""
    overall = "–" if result.overall is None else f"{result.overall:.1f}"
    head = f"**Overall {overall}**, {result.valid} of {result.asked} judges"
    if result.disagree:
        head = (
            f"**The judges disagree.** Overall {overall}, {result.valid} of {result.asked} judges"
        )
    rows = ["| Criterion | Mean | Median | From | To | |", "| --- | --- | --- | --- | --- | --- |"]
    for one in result.criteria:
        mark = "disputed" if one.disagreement else ""
        rows.append(
            f"| {one.criterion.title} | {_one(one.mean)} | {_one(one.median)} | {_one(one.low)} "
            f"| {_one(one.high)} | {mark} |"
        )
    parts = [head, "\n".join(rows)]
    if result.alpha is not None:
        parts.append(f"Agreement between judges (Krippendorff's alpha): {result.alpha:.2f}")
    reasons = _reasons(ballots, titles, list(ballots))
    if reasons:
        parts.append(reasons)
    return "\n\n".join(parts)


def ranking_text(result: Ranking, titles: Mapping[str, str], ballots: Sequence[Ballot] = ()) -> str:
    """Places with their words; a real split names no winner."""
    top = [place for place in result.places if place.place == 1]
    if result.disagree:
        head = "**The judges disagree: no winner.**"
    elif len(top) == 1:
        head = f"**{_title(top[0].candidate, titles)}** is ranked first"
    else:
        named = ", ".join(_title(place.candidate, titles) for place in top)
        head = f"**Tied: {named}**" if top else "**No ranking could be read.**"
    lines = [
        f"{place.place}. {_title(place.candidate, titles)}: {place.words}, "
        f"{place.points:.2f} points"
        for place in result.places
    ]
    # A list in Markdown would count on by itself and turn two second places into 2 and 3.
    listed = "\n".join(f"- {line}" for line in lines)
    reasons = _reasons(ballots, titles, list(ballots))
    return "\n\n".join(part for part in (head, listed, reasons) if part)


def _verdict(result: Tally) -> str:
    if result.winner is not None:
        return f"{_capital(result.winner)}: {result.decided_by}"
    if result.tied:
        return f"Tie between {' and '.join(result.tied)}"
    return f"No decision: {result.decided_by}"


def _counts(result: Tally) -> str:
    counts = " · ".join(f"{label} {votes:g}" for label, votes in result.counts.items())
    extra = [f"{result.valid} valid of {result.asked} asked"]
    if result.not_needed:
        extra.append(f"{result.not_needed} not needed")
    if result.agreement is not None:
        extra.append(f"agreement {result.agreement:.0%}")
    return f"{counts} · {', '.join(extra)}"


def _reasons(ballots: Sequence[Ballot], titles: Mapping[str, str], chosen: Sequence[Ballot]) -> str:
    lines = []
    for ballot in ballots:
        if ballot not in chosen or not (ballot.reason or ballot.choice):
            continue
        what = ballot.choice if ballot.choice not in (None, "scored") else ""
        marks = [ballot.category if ballot.category != "none" else ""]
        if ballot.severity:
            marks.append(f"severity {ballot.severity} of 4")
        about = ", ".join(mark for mark in (what or "", *marks) if mark)
        title = titles.get(ballot.voter, ballot.voter)
        reason = " ".join(ballot.reason.split())
        said = f" ({about})" if about else ""
        lines.append(f"- {title}{said}{f': {reason}' if reason else ''}")
    return "\n".join(lines)


def _title(candidate: str, titles: Mapping[str, str]) -> str:
    return titles.get(candidate, candidate.replace("text-", "Text "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _one(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
