"""What each call cost. Unknown stays unknown, and a free run gets no chart of zeros."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.calls import colours, figure_names, names
from components.figure import add_bars, bars, room_for_text
from fanout.insight.speed import cost_usd
from fanout.render.words import cost_text, nothing_paid_text, price_text, spent_text
from fanout.snapshot import Branch, Snapshot


def cost_chart(snapshot: Snapshot, *, dark: bool) -> go.Figure | None:
    """US dollars per call; None where nothing cost anything or no price is known."""
    dollars = [float(cost_usd(call.goes) or 0) for call in snapshot.calls]
    if not any(dollars):
        return None
    labels = figure_names(snapshot)
    figure = bars(labels, "US dollars")
    figure.update_xaxes(exponentformat="none")
    room_for_text(figure, dollars)
    add_bars(
        figure,
        y=labels,
        x=dollars,
        marker={"color": colours(snapshot, dark=dark)},
        text=[_cost(call) for call in snapshot.calls],
        textposition="outside",
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    return figure


def nothing_paid(snapshot: Snapshot) -> str:
    """Why there is no chart; empty where there is one."""
    if any(cost_usd(call.goes) for call in snapshot.calls):
        return ""
    return nothing_paid_text(call.cost for call in snapshot.calls if call.started_s is not None)


def cost_frame(snapshot: Snapshot) -> pd.DataFrame:
    """One row per call: its cost, the price that it was computed from, and what else is in it."""
    beside = [_beside(call) for call in snapshot.calls]
    return pd.DataFrame(
        {
            "Call": names(snapshot),
            "Cost": [_cost(call) for call in snapshot.calls],
            "Price": [price_text(call.cost) for call in snapshot.calls],
            **({"Includes": beside} if any(beside) else {}),
        }
    )


def _beside(call: Branch) -> str:
    """What was paid beside the answer itself."""
    hedges = sum(len(again.hedges) for again in call.goes)
    told = [
        f"{hedges} second request{'' if hedges == 1 else 's'}" if hedges else "",
        "an answer that broke off" if any(again.dropped for again in call.goes) else "",
    ]
    return ", ".join(filter(None, told))


def _cost(call: Branch) -> str:
    if not call.earlier:
        return cost_text(call.cost)
    return f"{spent_text(call.goes)} for {len(call.goes)} goes"
