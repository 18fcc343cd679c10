"""The plain horizontal figure that the charts of a run share."""

from __future__ import annotations

import plotly.graph_objects as go

ROW_PX = 34
MARGIN_PX = 56


def bars(labels: list[str], axis_title: str) -> go.Figure:
    """An empty bar figure with one row per label, first label on top."""
    return go.Figure(
        layout={
            "barmode": "overlay",
            "showlegend": False,
            "bargap": 0.45,
            "height": MARGIN_PX + ROW_PX * max(1, len(labels)),
            "margin": {"l": 4, "r": 8, "t": 8, "b": 40},
            "xaxis": {"title": {"text": axis_title}, "rangemode": "tozero", "fixedrange": True},
            "yaxis": {
                "categoryorder": "array",
                "categoryarray": labels,
                "autorange": "reversed",
                "automargin": True,
                "fixedrange": True,
                "title": {"text": ""},
            },
        }
    )


def room_for_text(figure: go.Figure, values: list[float]) -> None:
    """Leave space to the right of the longest bar for the words that stand beside it."""
    figure.update_xaxes(range=[0, (max(values, default=0) or 1) * 1.22])


def add_bars(figure: go.Figure, **fields: object) -> None:
    """One trace of horizontal bars, in the words of Plotly's reference for `bar`."""
    figure.add_trace({"type": "bar", "orientation": "h", **fields})


def faded(colour: str, opacity: float) -> str:
    """A #rrggbb colour at that opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
