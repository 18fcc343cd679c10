"""The one place that knows where a browser session keeps its things, and the process its engine."""

from __future__ import annotations

import threading

import streamlit as st

from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime

_lock = threading.Lock()
_runtime: Runtime | None = None

RUN_PARAM = "run"


def runtime() -> Runtime:
    """The engine of this process, shared by every session; opened on first use."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime.from_environment()
        return _runtime


def close_runtime() -> None:
    """End every run and the bundled model."""
    global _runtime
    with _lock:
        if _runtime is not None:
            _runtime.close()
            _runtime = None


class Runs:
    """The runs of this process, for routes that are made before the engine is."""

    def get(self, run_id: str) -> RunHandle | None:
        return runtime().engine.get(run_id)


def run_id_shown() -> str | None:
    """The run that the address names; coming from another page, the one looked at before.

    Navigation drops the query string, so the permalink is put back then. On the run page itself an
    address without a run is where Back, or a click on Run, leads: the empty page.
    """
    named = st.query_params.get(RUN_PARAM)
    if not named and st.session_state.get("came_from") == "other":
        named = st.session_state.get("shown_run")
        if named:
            st.query_params[RUN_PARAM] = named
    st.session_state["shown_run"] = named
    return named


def note_page(title: str) -> None:
    """Remember, after a page was drawn, whether it was the run page."""
    st.session_state["came_from"] = "run" if title == "Run" else "other"


def show_run(run_id: str | None) -> None:
    """Make the page show that run from the next script run on; None shows the empty page."""
    st.session_state["shown_run"] = run_id
    if run_id is None:
        st.query_params.pop(RUN_PARAM, None)
    else:
        st.query_params[RUN_PARAM] = run_id
