"""One vote as the report draws it: its voters as calls, which have names and shades there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fanout.export.html.calls import Call, branch_calls
from fanout.export.html.colours import WHOLE
from fanout.export.html.markup import Markup
from fanout.render import casts as told
from fanout.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter(told.Voter):
    call: Call

    @property
    def label(self) -> Markup:
        return self.call.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(told.Cast):
    voters: tuple[Voter, ...]


def casts(snapshot: Snapshot) -> Iterator[Cast]:
    """The branches' own vote, then those among the judges of a combined answer."""
    own = branch_calls(snapshot)
    for cast in told.casts(snapshot):
        voters = tuple(
            Voter(
                branch=voter.branch,
                column=voter.column,
                mark=voter.mark,
                ballot=voter.ballot,
                call=_judge(voter) if voter.column is None else own[voter.column],
            )
            for voter in cast.voters
        )
        yield Cast(
            plan=cast.plan,
            outcome=cast.outcome,
            voters=voters,
            candidates=cast.candidates,
            made=cast.made,
        )


def _judge(voter: told.Voter) -> Call:
    return Call(branch=voter.branch, mark="", title=voter.branch.title, shade=WHOLE, anchor="votes")
