"""How charts and tables name and colour a run's calls: the same everywhere."""

from __future__ import annotations

from components.palette import AGGREGATE_COLOUR, branch_colour, letter
from components.plain import figure_text
from fanout.snapshot import Snapshot


def names(snapshot: Snapshot) -> list[str]:
    """ "A Joke", "B Story" and, for the combining call, its plain title."""
    branches = [f"{letter(i)} {b.title}" for i, b in enumerate(snapshot.branches)]
    return branches + _combining(snapshot)


def figure_names(snapshot: Snapshot, *, limit: int = 24) -> list[str]:
    """The same, fit for a Plotly figure and at most that many characters long."""
    return [figure_text(name, limit) for name in names(snapshot)]


def colours(snapshot: Snapshot, *, dark: bool) -> list[str]:
    branches = [branch_colour(i, dark=dark) for i in range(len(snapshot.branches))]
    return branches + [AGGREGATE_COLOUR[dark]] * len(_combining(snapshot))


def _combining(snapshot: Snapshot) -> list[str]:
    return [snapshot.aggregate.branch.title] if snapshot.aggregate else []
