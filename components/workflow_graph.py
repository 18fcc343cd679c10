"""The workflow as a graph: START, the branches, the calls that combine, END; outlined by state."""

from __future__ import annotations

import plotly.graph_objects as go

from components.calls import answer_name, colours, figure_names
from components.figure import faded
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
    ink, line = ("#eceef2", "#6b7280") if dark else ("#16181d", "#9a958b")
    figure = _canvas(rows, ink)
    places = {b.id: i + (rows - count) / 2 for i, b in enumerate(snapshot.branches)}
    for i, branch in enumerate(snapshot.branches):
        y = places[branch.id]
        _edge(figure, (0.18, middle), (0.56, y), line)
        if not answers:
            _edge(figure, (1.44, y), (1.64, middle), line)
        text = f"{labels[i]}<br>{figure_text(branch_word(branch), 16)}"
        _node(figure, 1, y, text, shades[i], _DASH.get(branch.state, "dot"), ink)
    for i, made in enumerate(snapshot.aggregates):
        y = i + (rows - answers) / 2
        for used in made.used:
            _edge(figure, (1.44, places[used]), (1.64, y), line)
        _answer(figure, made, y, shades[-1], ink)
        _edge(figure, (2.52, y), (2.83, middle), line)
    _node(figure, 0, middle, "START", ink, "solid", ink)
    _node(figure, 3.0 if answers else 2.0, middle, "END", ink, "solid", ink)
    return figure


def _answer(figure: go.Figure, made: Aggregate, y: float, colour: str, ink: str) -> None:
    state = made.branch.state
    name = figure_text(answer_name(made, made.branch), 18)
    prepared = f", {len(made.before)} before" if made.before else ""
    text = f"{name}<br>{state_word(state)}{prepared}"
    _node(figure, 2.08, y, text, colour, _DASH.get(state, "dot"), ink)


def _canvas(rows: int, ink: str) -> go.Figure:
    hidden = {"visible": False, "fixedrange": True}
    return go.Figure(
        layout={
            "height": 24 + ROW_PX * max(2, rows),
            "margin": {"l": 0, "r": 0, "t": 4, "b": 4},
            "showlegend": False,
            "font": {"color": ink},
            "xaxis": {**hidden, "range": [-0.25, 3.25]},
            "yaxis": {**hidden, "range": [max(2, rows) - 0.45, -0.55]},
        }
    )


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


def _edge(
    figure: go.Figure, start: tuple[float, float], end: tuple[float, float], colour: str
) -> None:
    figure.add_annotation(
        x=end[0],
        y=end[1],
        ax=start[0],
        ay=start[1],
        xref="x",
        yref="y",
        axref="x",
        ayref="y",
        text="",
        arrowhead=2,
        arrowwidth=1.4,
        arrowcolor=colour,
    )
