"""The workflow as a graph: START, the branches, the calls that combine, END; outlined by state."""

from __future__ import annotations

import plotly.graph_objects as go

from components.calls import answer_name, colours, figure_names
from components.figure import faded
from components.graph_parts import canvas, edge, inks
from components.plain import figure_text
from fanout.render.words import branch_word, state_word
from fanout.snapshot import Aggregate, Snapshot
from fanout.types import BranchState

ROW_PX = 58
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
    count, answers = len(snapshot.branches), len(snapshot.aggregates)
    rows = max(count, answers)
    middle = (rows - 1) / 2
    ink, line = inks(dark=dark)
    figure = canvas(rows, ROW_PX, ink, 3.0)
    places = {b.id: i + (rows - count) / 2 for i, b in enumerate(snapshot.branches)}
    for i, branch in enumerate(snapshot.branches):
        y = places[branch.id]
        edge(figure, (0.18, middle), (0.56, y), line)
        if not answers:
            edge(figure, (1.44, y), (1.64, middle), line)
        text = f"{labels[i]}<br>{figure_text(branch_word(branch), 16)}"
        _node(figure, 1, y, text, shades[i], _DASH.get(branch.state, "dot"), ink)
    for i, made in enumerate(snapshot.aggregates):
        y = i + (rows - answers) / 2
        for used in made.used:
            edge(figure, (1.44, places[used]), (1.64, y), line)
        _answer(figure, made, y, shades[-1], ink)
        edge(figure, (2.52, y), (2.83, middle), line)
    _node(figure, 0, middle, "START", ink, "solid", ink)
    _node(figure, 3.0 if answers else 2.0, middle, "END", ink, "solid", ink)
    return figure


def _answer(figure: go.Figure, made: Aggregate, y: float, colour: str, ink: str) -> None:
    state = made.branch.state
    name = figure_text(answer_name(made, made.branch), 18)
    prepared = f", {len(made.before)} before" if made.before else ""
    text = f"{name}<br>{state_word(state)}{prepared}"
    _node(figure, 2.08, y, text, colour, _DASH.get(state, "dot"), ink)


def _node(
    figure: go.Figure, x: float, y: float, text: str, colour: str, dash: str, ink: str
) -> None:
    terminal = "<br>" not in text
    half_width, half_height = (0.17, 0.2) if terminal else (0.44, 0.36)
    figure.add_shape(
        type="rect",
        x0=x - half_width,
        x1=x + half_width,
        y0=y - half_height,
        y1=y + half_height,
        line={"color": colour, "width": 2, "dash": dash},
        fillcolor="rgba(0,0,0,0)" if terminal else faded(colour, 0.12),
    )
    figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": 12, "color": ink})
