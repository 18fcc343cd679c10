"""Votes, rankings, scores and passages as plain JSON, beside the record of a run."""

from __future__ import annotations

from fanout.insight.votes import Saved
from fanout.retrieval.passages import Fused, Hit, Passage
from fanout.snapshot import Branch
from fanout.voting.plans import Outcome
from fanout.voting.ranking import Ranking
from fanout.voting.scores import Scores
from fanout.voting.tally import Tally

Json = dict[str, object]


def ballot_record(branch: Branch) -> Json | None:
    """One vote as it was read; "problem" says why it is an abstention."""
    ballot = branch.ballot
    if ballot is None:
        return None
    return {
        "choice": ballot.choice,
        "valid": ballot.valid,
        "said": ballot.said,
        "reason": ballot.reason,
        "weight": ballot.weight,
        "category": ballot.category or None,
        "severity": ballot.severity,
        "scores": dict(ballot.scores) or None,
        "ranking": list(ballot.ranking) or None,
        "problem": ballot.problem or None,
    }


def outcome_record(result: Outcome, saved: Saved | None) -> Json:
    """What the votes say: "votes" are counts by label, "agreement" is None below two votes."""
    match result:
        case Tally():
            return {
                "votes": {label: _whole(votes) for label, votes in result.counts.items()},
                "agreement": result.agreement,
                "outcome": {
                    "winner": result.winner,
                    "tied": list(result.tied),
                    "decided_by": result.decided_by,
                    "margin": result.margin,
                    "asked": result.asked,
                    "valid": result.valid,
                    "abstained": result.abstained,
                    "not_needed": result.not_needed,
                    "saved": _saved_record(saved),
                },
            }
        case Scores():
            return {
                "votes": {one.criterion.id: one.mean for one in result.criteria},
                "agreement": result.alpha,
                "outcome": _scores_record(result),
            }
        case Ranking():
            return {
                "votes": {place.candidate: place.firsts for place in result.places},
                "agreement": result.tau,
                "outcome": _ranking_record(result),
            }


def passage_record(passage: Passage) -> Json:
    return {
        "id": passage.id,
        "document": passage.document,
        "title": passage.title,
        "place": passage.place,
        "text": passage.text,
    }


def hit_record(hit: Hit) -> Json:
    return {"rank": hit.rank, "source": hit.source, **passage_record(hit.passage)}


def fused_record(one: Fused) -> Json:
    return {
        "citation": one.rank,
        "score": round(one.score, 6),
        "found_by": dict(one.found_by),
        **passage_record(one.passage),
    }


def _whole(votes: float) -> float:
    """Votes are whole numbers, weights need not be."""
    return int(votes) if votes.is_integer() else votes


def _saved_record(saved: Saved | None) -> Json | None:
    if saved is None:
        return None
    usd = None if saved.usd is None else float(round(saved.usd, 9))
    return {"calls": saved.calls, "tokens": saved.tokens, "usd": usd}


def _scores_record(result: Scores) -> Json:
    return {
        "overall": result.overall,
        "disagree": result.disagree,
        "asked": result.asked,
        "valid": result.valid,
        "abstained": result.abstained,
        "alpha": result.alpha,
        "criteria": {
            one.criterion.id: {
                "title": one.criterion.title,
                "mean": one.mean,
                "median": one.median,
                "low": one.low,
                "high": one.high,
                "std": one.std,
                "disagree": one.disagreement,
            }
            for one in result.criteria
        },
    }


def _ranking_record(result: Ranking) -> Json:
    return {
        "winner": result.winner,
        "disagree": result.disagree,
        "ballots": result.ballots,
        "places": [
            {
                "candidate": place.candidate,
                "place": place.place,
                "points": place.points,
                "firsts": place.firsts,
                "of": place.of,
                "tied": place.tied,
            }
            for place in result.places
        ],
    }
