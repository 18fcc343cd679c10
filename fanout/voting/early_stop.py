"""When a vote can end early: surely, or very probably.

`settled` compares the outcome where all who remain are silent with the few completions that change
most: all of them for one label, be it an option, a label already seen or one nobody has given yet.
Under every rule a label gains most when it gets all of them, and no outcome depends on more than
one challenger, so if none of these changes the outcome, no mixed completion does. The tests compare
with all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import comb

from fanout.voting.ballot import Ballot
from fanout.voting.rules import Count, Rule, decide
from fanout.voting.tally import counted, exact_weight


def settled(ballots: Sequence[Ballot], rule: Rule, remaining: int | Sequence[float]) -> bool:
    """True only if no completion can change the winner, the tie or that there is no decision.

    `ballots` holds every vote that is over, abstentions and failures among them; `remaining` is how
    many may still come, or their weights.
    """
    weights = _weights(remaining, rule)
    count = counted(ballots, rule, asked=len(ballots) + len(weights))
    silent = decide(count, rule)
    outcomes = (decide(completed, rule) for completed in _extremes(count, rule, weights))
    return all((o.winner, o.tied) == (silent.winner, silent.tied) for o in outcomes)


def likely(
    ballots: Sequence[Ballot],
    rule: Rule,
    remaining: int | Sequence[float],
    confidence: float = 0.95,
) -> bool:
    """True if it is settled, or if the leader would very probably stay ahead.

    The Beta stopping rule of Adaptive-Consistency (Aggarwal et al. 2023, arXiv 2305.11860) on the
    two most frequent labels. It speaks of the most frequent answer, so it adds something only to
    plurality and majority, and to majority only while the leader has one.
    """
    if settled(ballots, rule, remaining):
        return True
    if rule.kind not in ("plurality", "majority"):
        return False
    count = counted(ballots, rule, asked=len(ballots))
    if decide(count, rule).winner is None:
        return False
    first, second = sorted((*map(int, count.votes.values()), 0, 0), reverse=True)[:2]
    return chance_of_staying_ahead(first, second) > confidence


def chance_of_staying_ahead(first: int, second: int) -> float:
    """The chance that the label with `first` votes is truly the more frequent of the two.

    A uniform prior gives its share a Beta(first + 1, second + 1) distribution; this is the part of
    it above 1/2. For whole numbers the regularised incomplete beta function at 1/2 is a finite sum
    of binomial coefficients.
    """
    n = first + second + 1
    return sum(comb(n, i) for i in range(second + 1, n + 1)) / (1 << n)


def _weights(remaining: int | Sequence[float], rule: Rule) -> list[Fraction]:
    if isinstance(remaining, int):
        return [Fraction(1)] * remaining
    return [exact_weight(w) if rule.kind == "weighted" else Fraction(1) for w in remaining]


def _extremes(count: Count, rule: Rule, weights: Sequence[Fraction]) -> Iterator[Count]:
    if not weights:
        return
    added = sum(weights, Fraction(0))
    for label in [*count.votes, *_unseen(count, rule)]:
        votes = {**count.votes, label: count.of(label) + added}
        yield replace(count, votes=votes, valid=count.valid + len(weights))


def _unseen(count: Count, rule: Rule) -> list[str]:
    new = "?"
    while new in count.votes:
        new += "?"
    return [label for label in (rule.safest, rule.strictest) if label] + [new]
