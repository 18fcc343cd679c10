"""What a run's votes say, and what calling off the rest of them saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchState
from fanout.voting.ballot import Ballot
from fanout.voting.final_answer import final_answer
from fanout.voting.normalise import normalised
from fanout.voting.plans import Outcome, Poll, VotePlan, count
from fanout.voting.rules import Rule

_COUNTED = ("vote", "scores", "ranking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What the votes that were not needed would have cost, by the median of the others."""

    calls: int
    tokens: int
    """Output tokens, about."""
    usd: Decimal | None
    """None where prices are unknown."""


def ballots(branches: Sequence[Branch]) -> tuple[Ballot, ...]:
    """One per branch that has ended, in column order; a call that failed is an abstention, one
    that was not made is none."""
    found = []
    for branch in branches:
        if branch.ballot is not None:
            found.append(branch.ballot)
        elif branch.state.finished and branch.state is not BranchState.SKIPPED:
            found.append(Ballot(voter=branch.id, choice=None, problem=_why(branch)))
    return tuple(found)


def outcome(vote: VotePlan, branches: Sequence[Branch]) -> Outcome:
    """What the votes say so far; while a run is live, this is its running tally."""
    return count(
        vote,
        ballots(branches),
        asked=len(branches),
        not_needed=sum(branch.not_needed for branch in branches),
    )


def run_outcome(snapshot: Snapshot) -> Outcome | None:
    """The outcome of the branches' own votes; None where they don't vote."""
    return None if snapshot.vote is None else outcome(snapshot.vote, snapshot.branches)


def voted(aggregate: Aggregate, snapshot: Snapshot) -> tuple[VotePlan, tuple[Branch, ...]] | None:
    """How an aggregate's vote is counted, and the voters with their ballots; None without a vote.

    A branch that succeeded and isn't used was left out; all others were asked.
    """
    if aggregate.vote is not None:
        return aggregate.vote, aggregate.before
    if aggregate.kind not in _COUNTED:
        return None
    return poll_of(
        snapshot,
        [b for b in snapshot.branches if b.id in aggregate.used or not b.state.succeeded],
    )


def poll_of(snapshot: Snapshot, voters: Sequence[Branch]) -> tuple[VotePlan, tuple[Branch, ...]]:
    """The run's own vote; where it has none, the answers that its branches' texts end in."""
    if snapshot.vote is not None:
        return snapshot.vote, tuple(voters)
    read = (
        replace(branch, ballot=_by_final_answer(branch)) if branch.state.succeeded else branch
        for branch in voters
    )
    return Poll(rule=Rule(kind="plurality")), tuple(read)


def saved(snapshot: Snapshot) -> Saved | None:
    """None where no vote was called off."""
    skipped = [branch for branch in snapshot.branches if branch.not_needed]
    if not skipped:
        return None
    cast = [branch for branch in snapshot.branches if branch.state.succeeded]
    costs = [branch.cost.usd for branch in cast if branch.cost is not None]
    tokens = [branch.usage.output for branch in cast if branch.usage is not None]
    spent = sum(branch.usage.output for branch in skipped if branch.usage is not None)
    known = len(costs) == len(cast) and bool(cast)
    paid = sum((branch.cost.usd for branch in skipped if branch.cost is not None), Decimal(0))
    return Saved(
        calls=len(skipped),
        tokens=max(0, round(median(tokens) * len(skipped)) - spent) if tokens else 0,
        usd=max(Decimal(0), median(costs) * len(skipped) - paid) if known else None,
    )


def _by_final_answer(branch: Branch) -> Ballot:
    said = final_answer(branch.text)
    if said is None:
        return Ballot(
            voter=branch.id, choice=None, problem="The answer names no final answer to count."
        )
    return Ballot(voter=branch.id, choice=normalised(said), said=said)


def _why(branch: Branch) -> str:
    if branch.failure is not None:
        return f"No answer: {branch.failure.message}"
    return "No answer: it was stopped."
