"""Ask all voters at once, read the answers as ballots, call off votes that can't matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from fanout.insight.votes import ballots
from fanout.kernel.context import Combine, RunContext
from fanout.snapshot import Branch
from fanout.voting.ballot import Ballot
from fanout.voting.early_stop import likely, settled
from fanout.voting.plans import Poll, VotePlan

Reader: TypeAlias = Callable[[Branch], Ballot]
"""Reads a finished branch's answer; what can't be read is an abstention, never a guess."""


async def poll(
    vote: VotePlan, read: Reader, context: RunContext, combine: Combine | None = None
) -> None:
    """Fan out over the planned branches and record a ballot for each that answered.

    `combine` counts them, once the run's fan-in policy has what it asked for.
    """

    def heard(branch: Branch) -> None:
        if branch.state.succeeded:
            context.cast(branch.id, read(branch))
        if isinstance(vote, Poll) and not context.stopped:
            out = [b for b in context.snapshot.branches if not b.state.finished]
            if out and decided(vote, context.snapshot.branches):
                context.skip(b.id for b in out)

    for branch in context.snapshot.branches:
        if branch.state.succeeded and branch.ballot is None:
            # A crash came between the answer and the vote that was read from it.
            context.cast(branch.id, read(branch))
    await context.fan_out(context.planned, heard=heard, combine=combine)


def decided(vote: Poll, branches: tuple[Branch, ...]) -> bool:
    """Whether the votes that are still out can be called off, by the plan's own setting.

    Sources: strict, no completion of the vote changes its outcome; likely, Adaptive-Consistency
    (Aggarwal et al. 2023, arXiv 2305.11860).
    """
    if vote.early_stop == "never":
        return False
    cast = ballots(branches)
    weights = [vote.weights.get(b.id, 1.0) for b in branches if not b.state.finished]
    if settled(cast, vote.rule, weights):
        return True
    return vote.early_stop == "likely" and likely(cast, vote.rule, weights)
