"""After a run: the headline, then timeline, tokens, cost and the workflow, tables beside charts."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from components.cost_chart import cost_chart, cost_frame, nothing_paid
from components.earlier_goes import earlier_goes
from components.figure_row import CHART_ONLY, figure_row
from components.headline import headline
from components.practices import practices_panel
from components.research_results import research_results
from components.timeline_chart import timeline_chart, timeline_frame, timeline_note
from components.tokens_chart import nothing_written, tokens_chart, tokens_frame
from components.votes import votes
from components.workflow_graph import workflow_graph
from fanout.engine.handle import RunHandle


def results(handle: RunHandle) -> None:
    """Draw everything that is known once a run has finished."""
    snapshot = handle.snapshot
    dark = st.context.theme.type == "dark"
    headline(snapshot)
    if not any(branch.started_s is not None for branch in snapshot.calls):
        return
    votes(snapshot, dark=dark)
    research_results(handle)
    _row(
        "Timeline",
        timeline_chart(snapshot, dark=dark),
        timeline_frame(snapshot),
        alt="When each call was queued, waited, wrote and backed off, in seconds",
        note=timeline_note(snapshot),
    )
    _row(
        "Tokens",
        tokens_chart(snapshot, dark=dark),
        tokens_frame(snapshot),
        alt="Tokens written by each call, and how many per second",
        note=nothing_written(snapshot),
    )
    _row(
        "Cost",
        cost_chart(snapshot, dark=dark),
        cost_frame(snapshot),
        alt="Cost of each call in US dollars",
        note=nothing_paid(snapshot),
    )
    earlier_goes(snapshot)
    practices_panel(snapshot, dark=dark)
    st.subheader("How it ran", anchor=False)
    st.plotly_chart(
        workflow_graph(snapshot, dark=dark),
        key="graph",
        config=CHART_ONLY,
        alt="The workflow as a graph: start, branches, combining call and end, with their states",
    )


def _row(
    title: str, figure: go.Figure | None, frame: pd.DataFrame, *, alt: str, note: str = ""
) -> None:
    st.subheader(title, anchor=False)
    figure_row(figure, frame, key=title.lower(), alt=alt, note=note)
