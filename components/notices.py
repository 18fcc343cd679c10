"""What a person should know before pressing Run: a refused input, a missing model, a full disk."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime
from fanout.types import ModelRef
from fanout.workflows.library import shipped


def notices(runtime: Runtime, model: ModelRef) -> None:
    """Draw them; nothing where all is well."""
    # Said once: after the next change on the page it may not be true any more.
    notice = st.session_state.pop("notice", None)
    if notice:
        st.error(label(notice, 600), icon=":material/error:")
    for problem in (*runtime.problems, *shipped().problems, *_unwritten(runtime)):
        st.warning(label(problem, 600), icon=":material/warning:")
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


def _unwritten(runtime: Runtime) -> tuple[str, ...]:
    """What the record can't take now; it is tried again until it can."""
    scribe = runtime.engine.scribe
    if scribe is None or not scribe.problem:
        return ()
    return (f"Runs are not being written down: {scribe.problem} Until then they are in memory.",)
