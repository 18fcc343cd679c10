"""A chart with its numbers beside it as a table, so that nobody depends on seeing the chart."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from components.plain import cells

CHART_ONLY = {"displayModeBar": False}


def figure_row(
    figure: go.Figure | None, frame: pd.DataFrame, *, key: str, alt: str, note: str = ""
) -> None:
    """Both share a row where there is room; without a figure its note stands in its place."""
    chart, table = st.columns(2, gap="medium")
    with chart:
        if figure is not None:
            st.plotly_chart(figure, key=key, config=CHART_ONLY, alt=alt)
        if note:
            st.caption(note)
    with table:
        st.dataframe(cells(frame), key=f"{key}_table", hide_index=True, alt=f"{alt}, as a table")
