"""What the graph of a run and the graph of a plan are drawn with: boxes, arrows, inks."""

from __future__ import annotations

import plotly.graph_objects as go


def inks(*, dark: bool) -> tuple[str, str]:
    """Text and lines."""
    return ("#eceef2", "#6b7280") if dark else ("#16181d", "#9a958b")


class Drawing:
    """Boxes and arrows, made a figure all at once.

    Added to a figure one by one, each makes Plotly check all those before it again: 200 branches
    took half a minute.
    """

    def __init__(self) -> None:
        self._shapes: list[dict[str, object]] = []
        self._annotations: list[dict[str, object]] = []

    def box(
        self,
        place: tuple[float, float],
        half: tuple[float, float],
        text: str,
        *,
        line: dict[str, object],
        fill: str,
        font: dict[str, object],
    ) -> None:
        """A box with words around its middle; `half` its width and height."""
        x, y = place
        self._shapes.append(
            {
                "type": "rect",
                "x0": x - half[0],
                "x1": x + half[0],
                "y0": y - half[1],
                "y1": y + half[1],
                "line": line,
                "fillcolor": fill,
            }
        )
        self._annotations.append({"x": x, "y": y, "text": text, "showarrow": False, "font": font})

    def edge(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        """An arrow from one place to another."""
        axes = {"xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
        self._annotations.append(
            {
                **axes,
                "x": end[0],
                "y": end[1],
                "ax": start[0],
                "ay": start[1],
                "text": "",
                "arrowhead": 2,
                "arrowwidth": 1.4,
                "arrowcolor": colour,
            }
        )

    def figure(self, rows: int, row_px: int, ink: str, end: float) -> go.Figure:
        """For so many rows; START is at 0 and END at `end`."""
        hidden = {"visible": False, "fixedrange": True}
        return go.Figure(
            layout={
                "height": 24 + row_px * max(2, rows),
                "margin": {"l": 0, "r": 0, "t": 4, "b": 4},
                "showlegend": False,
                "font": {"color": ink},
                "xaxis": {**hidden, "range": [-0.25, end + 0.25]},
                "yaxis": {**hidden, "range": [max(2, rows) - 0.45, -0.55]},
                "shapes": self._shapes,
                "annotations": self._annotations,
            }
        )
