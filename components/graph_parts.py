"""What the graph of a run and the graph of a plan are drawn with: canvas, arrows, inks."""

from __future__ import annotations

import plotly.graph_objects as go


def inks(*, dark: bool) -> tuple[str, str]:
    """Text and lines."""
    return ("#eceef2", "#6b7280") if dark else ("#16181d", "#9a958b")


def canvas(rows: int, row_px: int, ink: str, end: float) -> go.Figure:
    """Empty, for so many rows; START is at 0 and END at `end`."""
    hidden = {"visible": False, "fixedrange": True}
    return go.Figure(
        layout={
            "height": 24 + row_px * max(2, rows),
            "margin": {"l": 0, "r": 0, "t": 4, "b": 4},
            "showlegend": False,
            "font": {"color": ink},
            "xaxis": {**hidden, "range": [-0.25, end + 0.25]},
            "yaxis": {**hidden, "range": [max(2, rows) - 0.45, -0.55]},
        }
    )


def edge(
    figure: go.Figure, start: tuple[float, float], end: tuple[float, float], colour: str
) -> None:
    """An arrow from one place to another."""
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
