"""A file that is no workflow: what is wrong with it, and its text to be mended right here."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.workflow_editor.desk import Desk, say
from components.workflow_editor.shelf import delete
from fanout.errors import FanoutError
from fanout.workflows.user_workflows import StoredWorkflow


def broken(desk: Desk, stored: StoredWorkflow) -> None:
    """Draw the message and the text."""
    st.error(label(stored.problem, 600), icon=":material/error:")
    key = f"mend-{stored.name}"
    if stored.text:
        if key not in st.session_state:
            st.session_state[key] = stored.text
        st.text_area("The file", key=key, height=360, persist_state="session")
    with st.container(horizontal=True, key="broken_actions"):
        if stored.text:
            st.button(
                "Save the file",
                key="mend_workflow",
                type="primary",
                icon=":material/save:",
                on_click=_mend,
                args=(desk, stored.name, key),
            )
        st.button(
            "Delete",
            key="delete_workflow",
            icon=":material/delete:",
            help="It can be brought back.",
            on_click=delete,
            args=(desk, stored.name),
        )


def _mend(desk: Desk, name: str, key: str) -> None:
    try:
        desk.store.mend(name, st.session_state[key])
    except FanoutError as error:
        say(f"Not saved: {error}", wrong=True)
        return
    say(f"{name} is mended.")
