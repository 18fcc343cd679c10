"""A workflow before it runs, as a graph: START, the branches, how they are combined, END."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from components.figure import faded
from components.graph_parts import Drawing, inks
from components.palette import AGGREGATE_COLOUR, branch_colour
from components.plain import figure_text

ROW_PX = 46
_MOST_ROWS = 12
"""More branches than that become one node that says how many there are left."""


def plan_graph(titles: Sequence[str], combined: str, *, dark: bool) -> go.Figure:
    """Left to right; `combined` is "" where the branches are the answer."""
    shown = list(titles) if len(titles) <= _MOST_ROWS else list(titles[: _MOST_ROWS - 1])
    names = [figure_text(title, 18) for title in shown]
    if len(shown) < len(titles):
        names.append(f"and {len(titles) - len(shown)} more")
    middle = (len(names) - 1) / 2
    ink, line = inks(dark=dark)
    end = 3.0 if combined else 2.0
    drawing = Drawing()
    _box(drawing, 0, middle, "START", ink, 0.17)
    for i, name in enumerate(names):
        drawing.edge((0.18, middle), (0.56, i), line)
        _box(drawing, 1, i, name, branch_colour(i, dark=dark), 0.44)
        drawing.edge((1.44, i), (end - 1.38 if combined else 1.83, middle), line)
    if combined:
        _box(drawing, 2.08, middle, figure_text(combined, 18), AGGREGATE_COLOUR[dark], 0.46)
        drawing.edge((2.54, middle), (2.83, middle), line)
    _box(drawing, end, middle, "END", ink, 0.17)
    return drawing.figure(len(names), ROW_PX, ink, end)


def _box(drawing: Drawing, x: float, y: float, text: str, colour: str, half: float) -> None:
    terminal = text in ("START", "END")
    drawing.box(
        (x, y),
        (half, 0.24 if terminal else 0.34),
        text,
        line={"color": colour, "width": 2},
        fill="rgba(0,0,0,0)" if terminal else faded(colour, 0.12),
        font={"size": 12},
    )
