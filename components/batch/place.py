"""On a run's page: which row of which batch it is, with the way there."""

from __future__ import annotations

import streamlit as st

from components.batch.address import ID, PAGE
from components.plain import label
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError


def row_place(runtime: Runtime, handle: RunHandle) -> None:
    """Draw the link; nothing for a run that somebody started by itself."""
    made = handle.snapshot.made_with
    if made is None or made.row is None:
        return
    row = made.row
    try:
        batch = runtime.store.batches.get(row.batch)
    except FanoutError:
        batch = None
    if batch is None:
        st.caption(f":material/table_rows: Row {row.number:,} of a batch that is deleted")
        return
    st.page_link(
        PAGE,
        label=f"Row {row.number:,} of {label(batch.title, 60) or 'its batch'}",
        icon=":material/table_rows:",
        query_params={ID: row.batch},
    )
