"""Outcomes in words, verdict first: who won, by how much, what the minority said, who abstained.

The verdict is one plain line; the whole text is Markdown, for a screen and for a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from fanout.voting.ballot import Ballot
from fanout.voting.plans import Outcome
from fanout.voting.ranking import Place, Ranking
from fanout.voting.scores import Scores
from fanout.voting.tally import Tally

Titles = Mapping[str, str]
RELIABLE_ALPHA = 0.8
TENTATIVE_ALPHA = 0.667
"""Krippendorff's own thresholds, "Content Analysis" (2004), section 11.4.2."""


def outcome_text(result: Outcome, titles: Titles, ballots: Sequence[Ballot] = ()) -> str:
    """The outcome as Markdown. `titles` names voters, and candidates of a ranking, by their ids."""
    match result:
        case Tally():
            return tally_text(result, titles, ballots)
        case Scores():
            return scores_text(result, titles, ballots)
        case Ranking():
            return ranking_text(result, titles, ballots)
        case _:
            assert_never(result)


def verdict(result: Outcome, titles: Titles | None = None) -> str:
    """The outcome in one line of plain text: "Block: majority 3 of 5", "No decision: ..."."""
    match result:
        case Tally():
            return _tally_verdict(result)
        case Scores():
            return _scores_verdict(result)
        case Ranking():
            return _ranking_verdict(result, titles or {})
        case _:
            assert_never(result)


def tally_text(result: Tally, titles: Titles, ballots: Sequence[Ballot] = ()) -> str:
    """Verdict, counts, the ballots that went against it with their reasons, then the others."""
    valid = [ballot for ballot in ballots if ballot.valid]
    won = [ballot for ballot in valid if ballot.choice == result.winner]
    against = [ballot for ballot in valid if ballot.choice != result.winner]
    parts = [f"**{verdict(result)}**", " · ".join([*_counts(result), *turnout(result)])]
    if result.winner is None:
        parts.append(_section("Votes", [_vote(ballot, titles) for ballot in against]))
    else:
        parts.append(_section("Minority", [_vote(ballot, titles) for ballot in against]))
        argued = [_vote(ballot, titles, named=False) for ballot in won if _argues(ballot)]
        parts.append(_section(f"For {result.winner}", argued))
    return _joined(*parts, _abstained(ballots, titles))


def scores_text(result: Scores, titles: Titles, ballots: Sequence[Ballot] = ()) -> str:
    """A table of the criteria, then how far the judges agree, then what they said."""
    judges = f"{result.valid} of {result.asked} judge{'' if result.asked == 1 else 's'}"
    head = f"**{verdict(result)}** · {judges}"
    if not result.valid:
        return _joined(head, _abstained(ballots, titles))
    rows = ["| Criterion | Mean | Median | From | To | |", "| --- | --- | --- | --- | --- | --- |"]
    for one in result.criteria:
        numbers = (one.mean, one.median, one.low, one.high)
        mark = "disputed" if one.disagreement else ""
        rows.append(f"| {one.criterion.title} | {' | '.join(map(score_text, numbers))} | {mark} |")
    said = [_said(ballot, titles) for ballot in ballots if ballot.valid and ballot.reason]
    return _joined(
        head,
        "\n".join(rows),
        alpha_words(result),
        _section("What they said", said),
        _abstained(ballots, titles),
    )


def ranking_text(result: Ranking, titles: Titles, ballots: Sequence[Ballot] = ()) -> str:
    """Places with their words; a real split names no winner."""
    said = [
        _said(ballot, titles, " > ".join(_title(one, titles) for one in ballot.ranking))
        for ballot in ballots
        if ballot.valid
    ]
    return _joined(
        f"**{verdict(result, titles)}**",
        "\n".join(f"- {_place(place, titles)}" for place in result.places),
        _section("Ballots, best first", said),
        _abstained(ballots, titles),
    )


def turnout(result: Tally) -> list[str]:
    """How many voted, and how far they agree: "5 valid of 5 asked", "agreement 60 %"."""
    parts = [f"{result.valid} valid of {result.asked} asked"]
    if result.abstained:
        parts.append(f"{result.abstained} abstained")
    if result.not_needed:
        parts.append(f"{result.not_needed} not needed")
    if result.agreement is not None:
        parts.append(f"agreement {result.agreement:.0%}")
    elif result.valid == 1:
        parts.append("one vote, nothing to agree with")
    return parts


def alpha_words(result: Scores) -> str:
    """Krippendorff's alpha and what it means, in a sentence."""
    if result.valid < 2:
        who = "one judge" if result.valid else "no judge"
        return f"No agreement figure: {who}."
    if result.alpha is None:
        return "No agreement figure: it needs scores that differ."
    if result.alpha >= RELIABLE_ALPHA:
        means = "the judges score alike"
    elif result.alpha >= TENTATIVE_ALPHA:
        means = "the judges agree well enough for a tentative conclusion"
    elif result.alpha > 0:
        means = "the judges agree somewhat more than by chance, too little to rely on"
    else:
        means = "the judges agree no more than by chance"
    return f"Krippendorff's alpha {result.alpha:.2f}: {means}."


def score_text(value: float | None) -> str:
    """A score with one decimal; a dash where nobody gave one."""
    return "–" if value is None else f"{value:.1f}"


def _tally_verdict(result: Tally) -> str:
    if result.winner is not None:
        return f"{_capital(result.winner)}: {_why(result)}"
    if result.tied:
        votes = result.counts[result.tied[0]]
        return f"Tie between {_and(result.tied)}, {votes:g} each"
    return f"No decision: {result.decided_by}"


def _why(result: Tally) -> str:
    """The rule's own words, where all said the same that instead."""
    by_number = result.decided_by.startswith(("majority", "most votes"))
    if not by_number or (result.valid > 1 and result.agreement != 1):
        return result.decided_by
    if result.valid == 1:
        return "the only valid vote"
    return f"all {result.valid} {'agree' if result.valid == result.asked else 'valid votes agree'}"


def _scores_verdict(result: Scores) -> str:
    if result.overall is None:
        return "No score could be read"
    overall = score_text(result.overall)
    if not result.disagree:
        return f"Overall {overall}"
    disputed = [one.criterion.title for one in result.criteria if one.disagreement]
    return f"The judges disagree on {_and(disputed)}; overall {overall}"


def _ranking_verdict(result: Ranking, titles: Titles) -> str:
    top = [_title(place.candidate, titles) for place in result.places if place.place == 1]
    if not top:
        return "No ranking could be read"
    if result.disagree:
        return "The judges disagree: no winner"
    return f"{top[0]} is ranked first" if len(top) == 1 else f"Tie between {_and(top)}"


def _counts(result: Tally) -> list[str]:
    return [f"{votes:g} for {label}" for label, votes in result.counts.items()]


def _place(place: Place, titles: Titles) -> str:
    points = f"{place.points:.2f}".rstrip("0").rstrip(".")
    return (
        f"Place {place.place}: {_title(place.candidate, titles)} ({place.words}; {points} points)"
    )


def _argues(ballot: Ballot) -> bool:
    return bool(ballot.reason or ballot.severity or ballot.category not in ("", "none"))


def _vote(ballot: Ballot, titles: Titles, *, named: bool = True) -> str:
    """ "**Respect** (block, harassment, severity 3 of 4): It insults the neighbours."."""
    about = [ballot.choice or ""] if named else []
    about.append("" if ballot.category == "none" else ballot.category)
    about.append(f"severity {ballot.severity} of 4" if ballot.severity else "")
    return _said(ballot, titles, ", ".join(part for part in about if part))


def _said(ballot: Ballot, titles: Titles, about: str = "") -> str:
    reason = " ".join(ballot.reason.split())
    name = f"**{titles.get(ballot.voter, ballot.voter)}**"
    return f"{name}{f' ({about})' if about else ''}{f': {reason}' if reason else ''}"


def _abstained(ballots: Sequence[Ballot], titles: Titles) -> str:
    silent = [ballot for ballot in ballots if not ballot.valid]
    return _section(
        "Abstained",
        [f"**{titles.get(b.voter, b.voter)}**: {b.problem or 'nothing was said.'}" for b in silent],
    )


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:\n", *(f"- {line}" for line in lines)]) if lines else ""


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _title(candidate: str, titles: Titles) -> str:
    return titles.get(candidate, candidate.replace("text-", "Text "))


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
