"""The workflow as a graph: START, the branches, the combining call, END; outlined by state."""

from __future__ import annotations

import plotly.graph_objects as go

from components.calls import colours, figure_names
from components.figure import faded
from fanout.render.words import state_word
from fanout.snapshot import Snapshot
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
    count = len(snapshot.branches)
    middle = (count - 1) / 2
    ink, line = ("#eceef2", "#6b7280") if dark else ("#16181d", "#9a958b")
    figure = _canvas(count, ink)
    end_x = 3.0 if snapshot.aggregate else 2.0
    _node(figure, 0, middle, "START", ink, "solid", ink)
    for i, branch in enumerate(snapshot.branches):
        used = snapshot.aggregate is None or branch.id in snapshot.aggregate.used
        _edge(figure, (0.18, middle), (0.56, i), line)
        if used:
            _edge(figure, (1.44, i), (1.64, middle), line)
        text = f"{labels[i]}<br>{state_word(branch.state)}"
        _node(figure, 1, i, text, shades[i], _DASH.get(branch.state, "dot"), ink)
    if snapshot.aggregate is not None:
        state = snapshot.aggregate.branch.state
        text = f"{labels[-1]}<br>{state_word(state)}"
        _node(figure, 2.08, middle, text, shades[-1], _DASH.get(state, "dot"), ink)
        _edge(figure, (2.52, middle), (2.83, middle), line)
    _node(figure, end_x, middle, "END", ink, "solid", ink)
    return figure


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
