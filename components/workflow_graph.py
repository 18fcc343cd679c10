"""The workflow as a graph: START, the branches, the calls that combine, END; outlined by state."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from components.calls import answer_name, colours, figure_names
from components.figure import faded
from components.graph_parts import Drawing, inks
from components.plain import figure_text
from fanout.render.words import branch_word, state_word
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchState

ROW_PX = 58
MOST_ROWS = 24
"""More branches than that become one node that says how many there are left."""
_DASH = {
    BranchState.DONE: "solid",
    BranchState.CACHED: "solid",
    BranchState.STOPPED: "dash",
    BranchState.SKIPPED: "dash",
}
"""Outline of a node; everything else did not work out and is dotted."""


def workflow_graph(snapshot: Snapshot, *, dark: bool) -> go.Figure:
    """Left to right; a node says its state in words and by its outline."""
    labels, shades = figure_names(snapshot, limit=16), colours(snapshot, dark=dark)
    shown = snapshot.branches
    if len(shown) > MOST_ROWS:
        shown = shown[: MOST_ROWS - 1]
    rest = snapshot.branches[len(shown) :]
    count, answers = len(shown) + bool(rest), len(snapshot.aggregates)
    rows = max(count, answers)
    middle, top = (rows - 1) / 2, (rows - count) / 2
    ink, line = inks(dark=dark)
    drawing = Drawing()
    places = {b.id: min(i, len(shown)) + top for i, b in enumerate(snapshot.branches)}
    for y in sorted(set(places.values())):
        drawing.edge((0.18, middle), (0.56, y), line)
        if not answers:
            drawing.edge((1.44, y), (1.64, middle), line)
    for i, branch in enumerate(shown):
        text = f"{labels[i]}<br>{figure_text(branch_word(branch), 16)}"
        dash = _DASH.get(branch.state, "dot")
        _node(drawing, 1, places[branch.id], text, shades[i], dash, ink)
    if rest:
        _node(drawing, 1, count - 1 + top, _rest_text(rest), line, "solid", ink)
    for i, made in enumerate(snapshot.aggregates):
        y = i + (rows - answers) / 2
        for start in sorted({places[used] for used in made.used}):
            drawing.edge((1.44, start), (1.64, y), line)
        _answer(drawing, made, y, shades[-1], ink)
        drawing.edge((2.52, y), (2.83, middle), line)
    _node(drawing, 0, middle, "START", ink, "solid", ink)
    _node(drawing, 3.0 if answers else 2.0, middle, "END", ink, "solid", ink)
    return drawing.figure(rows, ROW_PX, ink, 3.0)


def _rest_text(rest: Sequence[Branch]) -> str:
    done = sum(branch.state.succeeded for branch in rest)
    return f"and {len(rest):,} more<br>{'all' if done == len(rest) else f'{done:,}'} done"


def _answer(drawing: Drawing, made: Aggregate, y: float, colour: str, ink: str) -> None:
    state = made.branch.state
    name = figure_text(answer_name(made, made.branch), 18)
    prepared = f", {len(made.before)} before" if made.before else ""
    text = f"{name}<br>{state_word(state)}{prepared}"
    _node(drawing, 2.08, y, text, colour, _DASH.get(state, "dot"), ink)


def _node(
    drawing: Drawing, x: float, y: float, text: str, colour: str, dash: str, ink: str
) -> None:
    terminal = "<br>" not in text
    drawing.box(
        (x, y),
        (0.17, 0.2) if terminal else (0.44, 0.36),
        text,
        line={"color": colour, "width": 2, "dash": dash},
        fill="rgba(0,0,0,0)" if terminal else faded(colour, 0.12),
        font={"size": 12, "color": ink},
    )
