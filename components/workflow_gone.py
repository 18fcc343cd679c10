"""A run whose workflow can't be chosen any more: what the fields hold then, and the way back."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.workflows.library import load_all, user_workflows


def workflow_gone(runtime: Runtime, handle: RunHandle) -> None:
    """Draw it above a run; nothing where its workflow is there."""
    known = {one.name for one in load_all(runtime.settings.home).workflows}
    if handle.workflow.name in known or handle.fixed:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="workflow_gone"):
        st.caption(
            f"The workflow of this run, {label(handle.workflow.title)}, is not among those that "
            "can be chosen above, so Run would start the one that stands there. "
            "The run itself has kept it: it can be resumed, compared and exported."
        )
        st.button(
            "Add it to the workflows",
            key="keep_workflow",
            icon=":material/add:",
            on_click=_keep,
            args=(runtime, handle),
        )


def _keep(runtime: Runtime, handle: RunHandle) -> None:
    try:
        user_workflows(runtime.settings.home).add(handle.workflow)
    except FanoutError as error:
        st.session_state["notice"] = str(error)
        return
    # The fields take it over with the next look at this run.
    st.session_state["filled_from"] = None
