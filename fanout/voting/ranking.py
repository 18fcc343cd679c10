"""Rankings of several judges combined: Borda count, ties shared, own candidates left out.

A ballot gives m - 1 points to the first of the m candidates it may rank, down to 0 for the last.
Candidates it leaves out share the points that are left. A voter's own candidate is taken out of its
ballot. As not every ballot may rank every candidate, points are compared as the mean share of the
points that could be had, over the ballots that could rank it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

from fanout.types import BranchId
from fanout.voting.ballot import Ballot

DISAGREE_BELOW_TAU = 0.2
"""Mean Kendall tau under which rankings count as unrelated: 1 is the same order, 0 is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    candidate: str
    place: int
    """Competition ranking: 1, 1, 3."""
    points: float
    """Mean points per ballot that could rank it, from 0 to the number of candidates less one."""
    firsts: int
    """Ballots that ranked it first."""
    of: int
    """Ballots that could rank it."""
    tied: bool = False

    @property
    def words(self) -> str:
        if not self.of:
            return "no ballot could rank it"
        first = f"{self.firsts} of {self.of} ranked it first"
        return f"{first}, tied" if self.tied else first


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    places: tuple[Place, ...] = ()
    """Best first, tied ones in the order of the candidates; empty where no ballot counts."""
    ballots: int = 0
    """Ballots that count: those that rank at least one of two or more candidates."""
    tau: float | None = None
    """Mean Kendall tau of each two ballots, over the candidates that both may rank."""
    disagree: bool = False
    """No candidate is first on more than half of the ballots that could rank it, and the mean tau
    is below DISAGREE_BELOW_TAU or can't be told."""

    @property
    def winner(self) -> str | None:
        """The one first place; None on a tie, and where the judges disagree."""
        firsts = [p.candidate for p in self.places if p.place == 1]
        return firsts[0] if len(firsts) == 1 and not self.disagree else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One ballot, cleaned: whom it may rank, and the points that each of them gets."""

    first: str
    points: Mapping[str, Fraction] = field(default_factory=dict)


def borda(
    ballots: Sequence[Ballot],
    candidates: Sequence[str],
    own: Mapping[BranchId, str] | None = None,
) -> Ranking:
    """Combine the rankings of valid ballots; `own` tells which candidate is a voter's own."""
    names = tuple(dict.fromkeys(candidates))
    orders = [
        order
        for ballot in ballots
        if ballot.valid and (order := _order(ballot, names, (own or {}).get(ballot.voter)))
    ]
    if not orders:
        return Ranking()
    shares = {name: _share(name, orders) for name in names}
    places = [_place(name, shares, orders) for name in names]
    tau = _mean_tau(orders)
    leader = any(2 * place.firsts > place.of for place in places)
    apart = tau is None or tau < DISAGREE_BELOW_TAU
    return Ranking(
        places=tuple(sorted(places, key=lambda place: place.place)),
        ballots=len(orders),
        tau=tau,
        disagree=len(orders) > 1 and not leader and apart,
    )


def _order(ballot: Ballot, names: Sequence[str], own: str | None) -> _Order | None:
    """None where there is nothing to compare: fewer than two candidates, or none ranked."""
    allowed = [name for name in names if name != own]
    ranked = [name for name in dict.fromkeys(ballot.ranking) if name in allowed]
    if len(allowed) < 2 or not ranked:
        return None
    left = len(allowed) - len(ranked)
    points = {name: Fraction(len(allowed) - 1 - i) for i, name in enumerate(ranked)}
    for name in allowed:
        points.setdefault(name, Fraction(left - 1, 2))
    return _Order(first=ranked[0], points=points)


def _share(name: str, orders: Sequence[_Order]) -> Fraction | None:
    """From 0 to 1; None where no ballot could rank it."""
    shares = [o.points[name] / (len(o.points) - 1) for o in orders if name in o.points]
    return sum(shares, Fraction(0)) / len(shares) if shares else None


def _place(name: str, shares: Mapping[str, Fraction | None], orders: Sequence[_Order]) -> Place:
    share = shares[name]
    rated = [s for s in shares.values() if s is not None]
    same = [other for other in shares if shares[other] == share]
    return Place(
        candidate=name,
        place=1 + (len(rated) if share is None else sum(s > share for s in rated)),
        points=float((share or 0) * (len(shares) - 1)),
        firsts=sum(order.first == name for order in orders),
        of=sum(name in order.points for order in orders),
        tied=len(same) > 1,
    )


def _mean_tau(orders: Sequence[_Order]) -> float | None:
    taus = [tau for a, b in combinations(orders, 2) if (tau := _tau(a, b)) is not None]
    return sum(taus) / len(taus) if taus else None


def _tau(one: _Order, other: _Order) -> float | None:
    """Kendall's tau: pairs in the same order less pairs in the opposite one; ties are neither."""
    common = [name for name in one.points if name in other.points]
    pairs = list(combinations(common, 2))
    if not pairs:
        return None
    signs = (
        (one.points[a] - one.points[b]) * (other.points[a] - other.points[b]) for a, b in pairs
    )
    return sum((s > 0) - (s < 0) for s in signs) / len(pairs)
