"""What a person should know before pressing Run: a refused input, a missing model, a full disk."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime
from fanout.types import ModelRef
from fanout.workflows.library import shipped

LOOK_S = 5.0


def notices(runtime: Runtime, model: ModelRef) -> None:
    """Draw them; nothing where all is well."""
    # Said once: after the next change on the page it may not be true any more.
    notice = st.session_state.pop("notice", None)
    if notice:
        st.error(label(notice, 600), icon=":material/error:")
    for problem in (*runtime.problems, *shipped().problems):
        st.warning(label(problem, 600), icon=":material/warning:")
    if unwritten(runtime):
        st.fragment(_still_unwritten, run_every=LOOK_S)(runtime)
    if model.endpoint != BUNDLED:
        listing = runtime.listing(model.endpoint)
        if listing is not None and listing.failure is not None and not listing.names:
            st.warning(label(listing.failure.message, 600), icon=":material/cloud_off:")
        return
    state = runtime.local.state
    if state.phase in ("absent", "failed"):
        st.error(label(state.message, 600), icon=":material/error:")
    elif state.phase == "starting":
        st.caption(":material/hourglass_top: The model on this machine is starting.")


def unwritten(runtime: Runtime) -> str:
    """What the record can't take now; it is tried again until it can."""
    scribe = runtime.engine.scribe
    if scribe is None or not scribe.problem:
        return ""
    return f"Runs are not being written down: {scribe.problem} Until then they are in memory."


def _still_unwritten(runtime: Runtime) -> None:
    """Looks again only while something is wrong; then the page is drawn without it."""
    problem = unwritten(runtime)
    if not problem:
        st.rerun()
    st.warning(label(problem, 600), icon=":material/warning:")
