"""The charts over a batch's rows; each has its numbers as a table in `frames`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import plotly.graph_objects as go

from components.batch.spans import verdict_name
from components.figure import add_bars, bars, room_for_text
from components.palette import DARK, LIGHT
from components.plain import figure_text
from fanout.batch.figures import Bin, Figures, Spread

HEIGHT_PX = 260


def verdict_chart(found: Figures, *, dark: bool) -> go.Figure:
    """Rows per verdict, the most frequent on top."""
    shares = [(verdict_name(one.verdict), one.count, one.share) for one in found.verdicts]
    if found.other_verdicts:
        rest = found.other_verdicts
        shares.append(("all others", rest, rest / found.voted))
    labels = [figure_text(name) for name, _, _ in shares]
    counts = [float(count) for _, count, _ in shares]
    figure = bars(labels, "rows")
    room_for_text(figure, counts)
    palette = DARK if dark else LIGHT
    add_bars(
        figure,
        y=labels,
        x=counts,
        marker={"color": [palette[i % len(palette)] for i in range(len(labels))]},
        text=[f"{count:,} ({share:.0%})" for _, count, share in shares],
        textposition="outside",
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    return figure


def histogram(
    bins: Sequence[Bin],
    title: str,
    words: Sequence[str],
    *,
    colour: int,
    dark: bool,
    spread: Spread | None = None,
) -> go.Figure:
    """Rows per bin; `words` name the bins. With a spread, lines mark its percentiles."""
    figure = _columns(title)
    # The last one has all from there on, and would look like more if it were drawn as wide.
    step = bins[0].high - bins[0].low if bins else 1.0
    figure.add_trace(
        {
            "type": "bar",
            "x": [one.low + step / 2 for one in bins],
            "y": [one.count for one in bins],
            "width": step * 0.94,
            "customdata": list(words),
            "marker": {"color": (DARK if dark else LIGHT)[colour]},
            "hovertemplate": "%{customdata}: %{y} rows<extra></extra>",
        }
    )
    if spread is not None:
        ink = "#eceef2" if dark else "#16181d"
        # On either side of their lines, which may lie close together.
        for place, name, side in ((spread.p50, "half", "right"), (spread.p90, "9 in 10", "left")):
            words_there = {"text": name, "font": {"size": 12}, "yref": "paper", "y": 1.1}
            figure.add_vline(
                place,
                line={"color": ink, "width": 1.5, "dash": "dot"},
                annotation={**words_there, "xanchor": side},
            )
    return figure


def over_time(found: Figures, zone: tzinfo, *, dark: bool) -> go.Figure:
    """Rows that ended, stretch by stretch; failed ones hatched on top."""
    palette = DARK if dark else LIGHT
    figure = _columns("")
    figure.update_layout(barmode="stack", showlegend=True)
    at = [datetime.fromtimestamp(one.at, zone) for one in found.over_time]
    for name, colour, shape, counts in (
        ("Answered", palette[0], "", [one.ended - one.failed for one in found.over_time]),
        ("Failed", palette[1], "/", [one.failed for one in found.over_time]),
    ):
        figure.add_trace(
            {
                "type": "bar",
                "name": name,
                "x": at,
                "y": counts,
                "width": [one.seconds * 940 for one in found.over_time],
                "offset": 0,
                "marker": {"color": colour, "pattern": {"shape": shape}},
                "hovertemplate": f"%{{x}}: %{{y}} {name.lower()}<extra></extra>",
            }
        )
    return figure


def _columns(title: str) -> go.Figure:
    return go.Figure(
        layout={
            "height": HEIGHT_PX,
            "bargap": 0.05,
            "showlegend": False,
            "margin": {"l": 4, "r": 8, "t": 24, "b": 8},
            "legend": {"orientation": "h", "traceorder": "normal", "y": 1.18, "x": 0},
            "xaxis": {
                "title": {"text": title},
                "automargin": True,
                "fixedrange": True,
                "exponentformat": "none",
            },
            "yaxis": {
                "title": {"text": "rows"},
                "automargin": True,
                "fixedrange": True,
                "rangemode": "tozero",
            },
        }
    )
