"""The one place that knows where a browser session keeps its things, and the process its engine."""

from __future__ import annotations

import threading

import streamlit as st

from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.settings import Settings

_lock = threading.Lock()
_runtime: Runtime | None = None

RUN_PARAM = "run"


def runtime() -> Runtime:
    """The engine of this process, shared by every session; opened on first use."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime(Settings.from_environment())
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
    """The run that the address names, or the one this session looked at last."""
    named = st.query_params.get(RUN_PARAM)
    if named:
        st.session_state["shown_run"] = named
        return str(named)
    last = st.session_state.get("shown_run")
    if last:
        # Navigation drops the query string; the address is the permalink, so it comes back.
        st.query_params[RUN_PARAM] = last
    return last


def show_run(run_id: str | None) -> None:
    """Make the page show that run from the next script run on; None shows the empty page."""
    st.session_state["shown_run"] = run_id
    if run_id is None:
        st.query_params.pop(RUN_PARAM, None)
    else:
        st.query_params[RUN_PARAM] = run_id
