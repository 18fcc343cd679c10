"""Ballots counted under a rule: votes per label, who wins and how sure that looks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fanout.voting.ballot import Ballot
from fanout.voting.rules import Count, Decision, Rule, as_float, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    counts: Mapping[str, float]
    """Votes, or sums of weights: the options in their order, then other labels as they came."""
    winner: str | None
    tied: tuple[str, ...]
    """Two or more labels where it is a tie, else empty."""
    asked: int
    valid: int
    abstained: int
    """Ballots that came in and can't be counted."""
    not_needed: int
    """Votes that were called off because the outcome was clear."""
    agreement: float | None
    """Share of the valid votes (or weights) for the winner, or for the most voted label where none
    won; None with fewer than two valid votes, which can't agree."""
    margin: float | None
    """Its share less that of the best other label; below 0 where a rule let a minority win."""
    decided_by: str


def tally(ballots: Sequence[Ballot], rule: Rule, *, asked: int, not_needed: int = 0) -> Tally:
    """Count one ballot per voter. Weights are added exactly, so no order of arrival changes it."""
    count = counted(ballots, rule, asked=asked)
    decision = decide(count, rule)
    return Tally(
        counts={label: as_float(votes) for label, votes in count.votes.items()},
        winner=decision.winner,
        tied=decision.tied,
        asked=asked,
        valid=count.valid,
        abstained=len(ballots) - count.valid,
        not_needed=not_needed,
        agreement=_agreement(count, decision),
        margin=_margin(count, decision),
        decided_by=decision.why,
    )


def counted(ballots: Sequence[Ballot], rule: Rule, *, asked: int) -> Count:
    votes = {option: Fraction(0) for option in rule.options}
    valid = 0
    for ballot in ballots:
        if ballot.choice is not None and ballot.valid:
            valid += 1
            weight = exact_weight(ballot.weight) if rule.kind == "weighted" else Fraction(1)
            votes[ballot.choice] = votes.get(ballot.choice, Fraction(0)) + weight
    return Count(votes=votes, valid=valid, asked=max(asked, len(ballots)))


def exact_weight(weight: float) -> Fraction:
    """The number as it is written, so that 0.1 and 0.2 equal 0.3; nonsense weighs nothing."""
    if not math.isfinite(weight) or weight <= 0:
        return Fraction(0)
    return Fraction(repr(float(weight)))


def spread(votes: Iterable[float]) -> float | None:
    """How many different answers there are in effect: 1 where all are equal, n for n equal shares.

    The exponential of Shannon's entropy (Hill number of order 1). None where nobody voted.
    """
    given = [v for v in votes if math.isfinite(v) and v > 0]
    largest = max(given, default=0.0)
    scaled = [v / largest for v in given]
    total = sum(scaled)
    if not total:
        return None
    shares = [v / total for v in scaled]
    return math.exp(-sum(p * math.log(p) for p in shares if p))


def _agreement(count: Count, decision: Decision) -> float | None:
    if count.valid < 2 or not count.total:
        return None
    return float(count.of(_leader(count, decision)) / count.total)


def _margin(count: Count, decision: Decision) -> float | None:
    if count.valid < 2 or not count.total:
        return None
    leader = _leader(count, decision)
    best = max((v for label, v in count.votes.items() if label != leader), default=Fraction(0))
    return float((count.of(leader) - best) / count.total)


def _leader(count: Count, decision: Decision) -> str:
    if decision.winner is not None:
        return decision.winner
    return max(count.votes, key=count.of)
