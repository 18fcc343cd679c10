"""How much each call wrote, and how fast."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.calls import colours, figure_names, names
from components.figure import add_bars, bars, room_for_text
from fanout.insight.speed import usage, writing_rate
from fanout.render.words import rate_text
from fanout.snapshot import Branch, Snapshot


def tokens_chart(snapshot: Snapshot, *, dark: bool) -> go.Figure | None:
    """Tokens written per call; the text on a bar is its speed in tokens per second.

    None where nobody wrote any.
    """
    written = [usage(call).output for call in snapshot.calls]
    if not any(written):
        return None
    labels = figure_names(snapshot)
    figure = bars(labels, "tokens written")
    room_for_text(figure, [float(tokens) for tokens in written])
    add_bars(
        figure,
        y=labels,
        x=written,
        marker={"color": colours(snapshot, dark=dark)},
        text=[_rate(call) for call in snapshot.calls],
        textposition="outside",
        hovertemplate="%{y}: %{x} tokens, %{text}<extra></extra>",
    )
    return figure


def nothing_written(snapshot: Snapshot) -> str:
    """What stands in the chart's place; empty where there is one."""
    return "" if any(usage(call).output for call in snapshot.calls) else "No call wrote anything."


def tokens_frame(snapshot: Snapshot) -> pd.DataFrame:
    """One row per call; "≈" marks counts that the endpoint did not report."""
    usages = [usage(call) for call in snapshot.calls]
    marks = ["≈ " if tokens.estimated else "" for tokens in usages]
    return pd.DataFrame(
        {
            "Call": names(snapshot),
            "In": [f"{m}{u.input:,}" for m, u in zip(marks, usages, strict=True)],
            "Cached": [f"{u.cached:,}" for u in usages],
            "Out": [f"{m}{u.output:,}" for m, u in zip(marks, usages, strict=True)],
            "Speed": [_rate(call) for call in snapshot.calls],
        }
    )


def _rate(call: Branch) -> str:
    rate = writing_rate(call)
    return rate_text(rate) if rate else ""
