"""What the page shows without a run: a promise, and one runnable example per workflow."""

from __future__ import annotations

import streamlit as st

from components import session
from components.choice import start
from components.plain import label
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped


def empty_state(model: ModelRef) -> None:
    """One card per workflow; its button runs the example at once."""
    st.markdown(
        "Type a topic and press Run: every branch writes at the same time, in its own column, "
        "and their texts become one answer. Or start with an example:"
    )
    with st.grid(min_column_width=205, border=True):
        for workflow in shipped().workflows:
            with st.container():
                _card(workflow, model)


def unknown_run(run_id: str) -> None:
    """A run id that this process doesn't know."""
    st.warning(
        f"Run {label(run_id)} is not known here. Runs are kept in memory until the app is started "
        "again, the newest 200 of them. Ask whoever sent the link to run it again, or "
        "start your own.",
        icon=":material/search_off:",
    )
    st.button(
        "Start a new run",
        key="forget_run",
        icon=":material/add:",
        on_click=session.show_run,
        args=(None,),
    )


def _card(workflow: Workflow, model: ModelRef) -> None:
    st.markdown(f"**{label(workflow.title)}**")
    st.caption(label(workflow.promise, 200))
    if workflow.examples:
        example = workflow.examples[0]
        st.button(
            label(example, 30),
            key=f"try-{workflow.name}",
            icon=":material/play_arrow:",
            on_click=_try,
            args=(workflow, example, model),
        )


def _try(workflow: Workflow, example: str, model: ModelRef) -> None:
    st.session_state["workflow"] = workflow.name
    st.session_state["topic"] = example
    start(workflow, example, model)
