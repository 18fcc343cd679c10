"""After a run: the headline, the timeline, cost, tokens and the workflow, with tables."""

from __future__ import annotations

import streamlit as st

from components.cost_chart import cost_chart, cost_frame
from components.headline import headline
from components.timeline_chart import timeline_chart, timeline_frame
from components.tokens_chart import tokens_chart, tokens_frame
from components.workflow_graph import workflow_graph
from fanout.engine.handle import RunHandle
from fanout.snapshot import Snapshot

CHART_ONLY = {"displayModeBar": False}


def results(handle: RunHandle) -> None:
    """Draw everything that is known once a run has finished."""
    snapshot = handle.snapshot
    dark = st.context.theme.type == "dark"
    headline(snapshot)
    if not any(branch.started_s is not None for branch in snapshot.calls):
        return
    st.subheader("Timeline", anchor=False)
    chart, table = st.columns([3, 2], gap="medium")
    with chart:
        st.plotly_chart(
            timeline_chart(snapshot, dark=dark),
            key="timeline",
            config=CHART_ONLY,
            alt="Timeline: when each branch was queued, waited, wrote and backed off, in seconds",
        )
        st.caption(
            "Hatched: queued or backing off · pale: waiting for the first token · full: writing"
        )
    with table:
        st.dataframe(
            timeline_frame(snapshot),
            key="timeline_table",
            hide_index=True,
            alt="Seconds per branch: queued, waiting, writing, backing off",
        )
    _money_and_tokens(snapshot, dark)
    st.subheader("How it ran", anchor=False)
    st.plotly_chart(
        workflow_graph(snapshot, dark=dark),
        key="graph",
        config=CHART_ONLY,
        alt="The workflow as a graph: start, branches, combining call and end, with their states",
    )


def _money_and_tokens(snapshot: Snapshot, dark: bool) -> None:
    cost, tokens = st.columns(2, gap="medium")
    with cost:
        st.subheader("Cost", anchor=False)
        figure = cost_chart(snapshot, dark=dark)
        if figure is not None:
            st.plotly_chart(
                figure,
                key="cost",
                config=CHART_ONLY,
                alt="Cost of each branch and of the combining call in US dollars",
            )
        st.dataframe(
            cost_frame(snapshot),
            key="cost_table",
            hide_index=True,
            alt="Cost and price of each call",
        )
    with tokens:
        st.subheader("Tokens", anchor=False)
        st.plotly_chart(
            tokens_chart(snapshot, dark=dark),
            key="tokens",
            config=CHART_ONLY,
            alt="Tokens written by each branch, with tokens per second",
        )
        st.dataframe(
            tokens_frame(snapshot),
            key="tokens_table",
            hide_index=True,
            alt="Tokens in and out and tokens per second of each call",
        )
