"""Answers that are counted, not written: votes, scores and rankings of the branches themselves."""

from __future__ import annotations

from dataclasses import replace

from fanout.insight.votes import ballots, outcome, poll_of
from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.types import Failure, FailureKind
from fanout.voting.words import outcome_text
from fanout.workflows.combining.material import Material, begin, heading
from fanout.workflows.specs import AggregateSpec

_NO_VOTE = Failure(
    kind=FailureKind.BAD_RESPONSE,
    message="Not one vote could be read, so there is no outcome. The answers are kept: look at "
    "them, then retry, or choose a model that keeps to the form.",
)


def counted(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """The outcome of the branches' ballots, in words; where they cast none, of their answers."""
    vote, voters = poll_of(material.snapshot, material.voters)
    result = outcome(vote, voters)
    valid = any(b.ballot is not None and b.ballot.valid for b in voters)
    text = outcome_text(result, voters_titles(voters), ballots(voters)) if valid else ""
    # The plan of a count asks nobody: its prompt is the result itself.
    plan = material.call(spec, text or "no vote")
    begin(spec, material, context, plan, made_of=heading(spec, _with_ballots(material, voters)))
    context.settle(plan, text, None if valid else _NO_VOTE)


def _with_ballots(material: Material, voters: tuple[Branch, ...]) -> Material:
    """The same, every branch with the ballot by which it was counted."""
    read = {branch.id: branch for branch in voters}
    branches = tuple(read.get(branch.id, branch) for branch in material.branches)
    return replace(material, snapshot=replace(material.snapshot, branches=branches))


def voters_titles(voters: tuple[Branch, ...]) -> dict[str, str]:
    return {branch.id: branch.title for branch in voters}
