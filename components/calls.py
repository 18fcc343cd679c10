"""How charts and tables name and colour a run's calls: the same everywhere."""

from __future__ import annotations

from components.palette import AGGREGATE_COLOUR, branch_colour, letter
from components.plain import figure_text
from fanout.render.answer_face import answer_number
from fanout.snapshot import Aggregate, Branch, Snapshot


def names(snapshot: Snapshot) -> list[str]:
    """ "A Joke", "B Story", then every call that combines: "Synthesis", "2 Judge 1".

    In the order of `snapshot.calls`; further combined answers wear their number, as their cards do.
    """
    return [*_branches(snapshot), *_combining(snapshot)]


def figure_names(snapshot: Snapshot, *, limit: int = 24) -> list[str]:
    """The same, fit for a Plotly figure and at most that many characters long."""
    return [figure_text(name, limit) for name in names(snapshot)]


def answer_name(made: Aggregate, call: Branch) -> str:
    """The title of a call that combines, behind the number of the answer that it belongs to."""
    number = answer_number(made)
    return call.title if number == 1 else f"{number} {call.title}"


def colours(snapshot: Snapshot, *, dark: bool) -> list[str]:
    branches = [branch_colour(i, dark=dark) for i in range(len(snapshot.branches))]
    return branches + [AGGREGATE_COLOUR[dark]] * len(_combining(snapshot))


def _branches(snapshot: Snapshot) -> list[str]:
    return [f"{letter(i)} {b.title}" for i, b in enumerate(snapshot.branches)]


def _combining(snapshot: Snapshot) -> list[str]:
    return [answer_name(made, call) for made in snapshot.aggregates for call in made.calls]
