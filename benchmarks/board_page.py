"""One run drawn in one of two ways: by the live board, or by plain Streamlit redrawn by a timer.

`/?run=ID` is the board. `/?run=ID&way=polling` is what a page without it would do: a fragment that
puts each branch's text into st.markdown four times a second.
"""

from __future__ import annotations

import streamlit as st

from benchmarks.board_engine import engine
from components.board import live_board
from fanout.engine.handle import RunHandle

COLUMNS = 3
REDRAW_S = 0.25


def polled(handle: RunHandle) -> None:
    columns = st.columns(COLUMNS)
    for i, branch in enumerate(handle.snapshot.branches):
        with columns[i % COLUMNS].container(height=356, key=f"column-{i}"):
            st.subheader(branch.title, anchor=False)
            st.caption(branch.state)
            st.markdown(branch.text)


st.set_page_config(layout="wide")
handle = engine().get(st.query_params["run"])
assert handle is not None
if st.query_params.get("way") == "polling":
    st.fragment(polled, run_every=REDRAW_S)(handle)
else:
    live_board(handle)
