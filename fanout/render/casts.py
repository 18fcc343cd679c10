"""Each vote of a run with its voters: who was asked, under which name, and how it came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fanout.insight.votes import ballots, outcome
from fanout.render.palette import letter
from fanout.render.words import not_needed
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison, Outcome, VotePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    branch: Branch
    column: int | None
    """Its place among the branches; None for a judge of the branches, who has no column."""
    mark: str
    """The letter of its column, or the number of a judge that has none."""
    ballot: Ballot | None
    """None where it was not needed, or the run ended before it."""

    @property
    def name(self) -> str:
        """ "A Safety", or "Judge 1"."""
        return self.branch.title if self.column is None else f"{self.mark} {self.branch.title}"

    @property
    def valid(self) -> bool:
        return self.ballot is not None and self.ballot.valid

    @property
    def not_needed(self) -> bool:
        return not_needed(self.branch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    plan: VotePlan
    outcome: Outcome
    voters: tuple[Voter, ...]
    candidates: Mapping[str, str]
    """What a ranking ranks: id to name, with the letter of its column where it has one."""
    made: Aggregate | None
    """The answer that the voters prepared; None for the branches' own vote."""

    @property
    def about(self) -> str:
        """The heading of that answer."""
        return self.made.heading if self.made is not None else ""

    @property
    def ballots(self) -> tuple[Ballot, ...]:
        return tuple(voter.ballot for voter in self.voters if voter.ballot is not None)


def casts(snapshot: Snapshot) -> Iterator[Cast]:
    """The branches' own vote, then those among the judges of a combined answer."""
    if snapshot.vote is not None:
        yield _cast(snapshot.vote, snapshot.branches, snapshot, None)
    for made in snapshot.aggregates:
        if made.vote is not None:
            yield _cast(made.vote, made.before, snapshot, made)


def columns(snapshot: Snapshot) -> dict[str, int]:
    """The place of each branch, by its id."""
    return {str(branch.id): i for i, branch in enumerate(snapshot.branches)}


def _cast(
    plan: VotePlan, branches: Sequence[Branch], snapshot: Snapshot, made: Aggregate | None
) -> Cast:
    given = {ballot.voter: ballot for ballot in ballots(branches)}
    return Cast(
        plan=plan,
        outcome=outcome(plan, branches),
        voters=tuple(
            Voter(
                branch=branch,
                column=i if made is None else None,
                mark=letter(i) if made is None else str(i + 1),
                ballot=given.get(branch.id),
            )
            for i, branch in enumerate(branches)
        ),
        candidates=_candidates(plan, snapshot),
        made=made,
    )


def _candidates(plan: VotePlan, snapshot: Snapshot) -> dict[str, str]:
    if not isinstance(plan, Comparison):
        return {}
    place = columns(snapshot)
    return {
        one: f"{letter(place[one])} {title}" if one in place else title
        for one, title in plan.candidates.items()
    }
