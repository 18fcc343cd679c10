"""One vote as the page draws it: who was asked, in which name and colour, and how it came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.palette import AGGREGATE_COLOUR, branch_colour, letter
from fanout.insight.votes import ballots, outcome
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchState
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison, Outcome, VotePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    branch: Branch
    name: str
    """ "A Safety"; a judge of the branches has no column, and so no letter."""
    mark: str
    """What stands on its dot or block: the letter of its column, or its number."""
    colour: str
    ballot: Ballot | None
    """None where it was not needed, or the run ended before it."""

    @property
    def valid(self) -> bool:
        return self.ballot is not None and self.ballot.valid

    @property
    def not_needed(self) -> bool:
        return self.branch.state is BranchState.SKIPPED and self.branch.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    key: str
    """Begins the keys of all that is drawn for this vote."""
    plan: VotePlan
    outcome: Outcome
    voters: tuple[Voter, ...]
    candidates: Mapping[str, str]
    """What a ranking ranks: id to name, with the letter of its column where it has one."""
    shades: Mapping[str, str]
    """The candidates' colours."""

    @property
    def ballots(self) -> tuple[Ballot, ...]:
        return tuple(voter.ballot for voter in self.voters if voter.ballot is not None)


def casts(snapshot: Snapshot, *, dark: bool) -> Iterator[tuple[Cast, Aggregate | None]]:
    """The branches' own vote, then those among the judges of a combined answer."""
    if snapshot.vote is not None:
        voters = tuple(
            (letter(i), branch_colour(i, dark=dark)) for i in range(len(snapshot.branches))
        )
        yield _cast("votes", snapshot.vote, snapshot.branches, voters, snapshot, dark=dark), None
    for made in snapshot.aggregates:
        if made.vote is not None:
            numbered = tuple(
                (str(i), AGGREGATE_COLOUR[dark]) for i in range(1, len(made.before) + 1)
            )
            yield _cast(made.id, made.vote, made.before, numbered, snapshot, dark=dark), made


def _cast(
    key: str,
    plan: VotePlan,
    branches: tuple[Branch, ...],
    looks: tuple[tuple[str, str], ...],
    snapshot: Snapshot,
    *,
    dark: bool,
) -> Cast:
    given = {ballot.voter: ballot for ballot in ballots(branches)}
    names, shades = _candidates(plan, snapshot, dark=dark)
    return Cast(
        key=key,
        plan=plan,
        outcome=outcome(plan, branches),
        voters=tuple(
            Voter(
                branch=branch,
                name=branch.title if mark.isdigit() else f"{mark} {branch.title}",
                mark=mark,
                colour=colour,
                ballot=given.get(branch.id),
            )
            for branch, (mark, colour) in zip(branches, looks, strict=True)
        ),
        candidates=names,
        shades=shades,
    )


def _candidates(
    plan: VotePlan, snapshot: Snapshot, *, dark: bool
) -> tuple[dict[str, str], dict[str, str]]:
    if not isinstance(plan, Comparison):
        return {}, {}
    columns = {str(branch.id): i for i, branch in enumerate(snapshot.branches)}
    names = {
        one: f"{letter(columns[one])} {title}" if one in columns else title
        for one, title in plan.candidates.items()
    }
    shades = {
        one: branch_colour(columns[one], dark=dark) if one in columns else AGGREGATE_COLOUR[dark]
        for one in plan.candidates
    }
    return names, shades
