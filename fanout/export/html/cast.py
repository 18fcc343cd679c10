"""One vote as the report draws it: who was asked, under which name, and how it came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fanout.export.html.calls import Call, branch_calls
from fanout.export.html.colours import WHOLE
from fanout.export.html.markup import Markup
from fanout.insight.votes import ballots, outcome
from fanout.render.palette import letter
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison, Outcome, VotePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    call: Call
    mark: str
    """The letter of its column, or the number of a judge that has none."""
    ballot: Ballot | None
    """None where it was not needed, or the run ended before it."""

    @property
    def branch(self) -> Branch:
        return self.call.branch

    @property
    def label(self) -> Markup:
        return self.call.label

    @property
    def valid(self) -> bool:
        return self.ballot is not None and self.ballot.valid

    @property
    def not_needed(self) -> bool:
        return self.branch.state is BranchState.SKIPPED and self.branch.failure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    plan: VotePlan
    outcome: Outcome
    voters: tuple[Voter, ...]
    candidates: Mapping[str, str]
    """What a ranking ranks: id to name, with the letter of its column where it has one."""
    about: str
    """The heading of the answer that judges prepared; empty for the branches' own vote."""


def casts(snapshot: Snapshot) -> Iterator[Cast]:
    """The branches' own vote, then those among the judges of a combined answer."""
    if snapshot.vote is not None:
        yield _cast(snapshot.vote, branch_calls(snapshot), snapshot)
    for made in snapshot.aggregates:
        if made.vote is not None:
            judges = [
                Call(branch=judge, mark="", title=judge.title, shade=WHOLE, anchor="votes")
                for judge in made.before
            ]
            yield _cast(made.vote, judges, snapshot, about=made.heading)


def _cast(plan: VotePlan, calls: Sequence[Call], snapshot: Snapshot, *, about: str = "") -> Cast:
    branches = [call.branch for call in calls]
    given = {ballot.voter: ballot for ballot in ballots(branches)}
    return Cast(
        plan=plan,
        outcome=outcome(plan, branches),
        voters=tuple(
            Voter(call=call, mark=call.mark or str(i), ballot=given.get(call.branch.id))
            for i, call in enumerate(calls, 1)
        ),
        candidates=_candidates(plan, snapshot),
        about=about,
    )


def _candidates(plan: VotePlan, snapshot: Snapshot) -> dict[str, str]:
    if not isinstance(plan, Comparison):
        return {}
    columns = {str(branch.id): i for i, branch in enumerate(snapshot.branches)}
    return {
        one: f"{letter(columns[one])} {title}" if one in columns else title
        for one, title in plan.candidates.items()
    }
