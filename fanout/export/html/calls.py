"""The calls of a run as every part of a report names and colours them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fanout.export.html.colours import WHOLE, shade
from fanout.export.html.markup import Markup, bdi, between, el, join
from fanout.render.answer_face import answer_number
from fanout.render.palette import letter
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchId


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    branch: Branch
    mark: str
    """The letter of its column; empty for calls that combine."""
    title: str
    shade: str
    anchor: str
    """The id of the element that shows it whole."""

    @property
    def name(self) -> str:
        """ "A Joke", or "Synthesis"."""
        return f"{self.mark} {self.title}" if self.mark else self.title

    @property
    def label(self) -> Markup:
        """The same, as markup."""
        own = el("span", self.mark, class_="let") if self.mark else None
        return el("span", own, " " if own else None, bdi(self.title), class_=f"call {self.shade}")


def branch_calls(snapshot: Snapshot) -> tuple[Call, ...]:
    """One per column, in column order."""
    return tuple(
        Call(
            branch=branch, mark=letter(i), title=branch.title, shade=shade(i), anchor=f"branch-{i}"
        )
        for i, branch in enumerate(snapshot.branches)
    )


def every_call(snapshot: Snapshot) -> tuple[Call, ...]:
    """The branches, then every call that combines."""
    combining = tuple(
        Call(
            branch=call,
            mark="",
            title=_title(made, call),
            shade=WHOLE,
            anchor=answer_anchor(made),
        )
        for made in snapshot.aggregates
        for call in made.calls
    )
    return branch_calls(snapshot) + combining


def by_id(calls: Iterable[Call]) -> Mapping[BranchId, Call]:
    return {call.branch.id: call for call in calls}


def answer_anchor(made: Aggregate) -> str:
    return f"answer-{answer_number(made)}"


def listed(parts: Sequence[Markup]) -> Markup:
    """ "A, B and C"."""
    if len(parts) < 2:
        return join(parts)
    return join([between(", ", parts[:-1]), " and ", parts[-1]])


def _title(made: Aggregate, call: Branch) -> str:
    number = answer_number(made)
    return call.title if number == 1 else f"{number} {call.title}"
