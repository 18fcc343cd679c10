"""One vote as the page draws it: its voters and candidates in their colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.palette import AGGREGATE_COLOUR, branch_colour
from fanout.render import casts as told
from fanout.snapshot import Aggregate, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter(told.Voter):
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(told.Cast):
    key: str
    """Begins the keys of all that is drawn for this vote."""
    voters: tuple[Voter, ...]
    shades: Mapping[str, str]
    """The candidates' colours."""


def casts(snapshot: Snapshot, *, dark: bool) -> Iterator[tuple[Cast, Aggregate | None]]:
    """The branches' own vote, then those among the judges of a combined answer."""
    place = told.columns(snapshot)
    for cast in told.casts(snapshot):
        voters = tuple(
            Voter(
                branch=voter.branch,
                column=voter.column,
                mark=voter.mark,
                ballot=voter.ballot,
                colour=_colour(voter.column, dark=dark),
            )
            for voter in cast.voters
        )
        coloured = Cast(
            key="votes" if cast.made is None else cast.made.id,
            plan=cast.plan,
            outcome=cast.outcome,
            voters=voters,
            candidates=cast.candidates,
            made=cast.made,
            shades={one: _colour(place.get(one), dark=dark) for one in cast.candidates},
        )
        yield coloured, cast.made


def _colour(column: int | None, *, dark: bool) -> str:
    return AGGREGATE_COLOUR[dark] if column is None else branch_colour(column, dark=dark)
