"""What the page shows without a run: a promise, and one runnable example per workflow."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components import session
from components.choice import start
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import StoreError
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped

_GONE = (
    "Its link may be incomplete, the run may be on another machine, or it was deleted for good. "
    "Whoever sent the link can export the run as JSON; the History page imports it."
)
# The same words whether there is such a run or not: an id must not be found out by trying.
_PRIVATE_OR_GONE = (
    "Its link may be incomplete, the run may be private, or it was deleted. Whoever sent the link "
    "can switch it from private to shared, above the run."
)
HISTORY = Path(__file__).resolve().parents[1] / "pages" / "history.py"


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


def unknown_run(runtime: Runtime, run_id: str) -> None:
    """A run id that no run has, that of a deleted one, or one that can't be read now."""
    try:
        stored = runtime.store.load(run_id)
    except StoreError as error:
        st.error(label(str(error), 600), icon=":material/error:")
        return
    if stored is not None and stored.deleted_at is not None:
        st.warning("This run was deleted. It can still be brought back.", icon=":material/delete:")
        st.button(
            "Restore it",
            key="restore_run",
            type="primary",
            icon=":material/restore_from_trash:",
            on_click=_restore,
            args=(runtime, run_id),
        )
    else:
        why = _PRIVATE_OR_GONE if runtime.settings.shared else _GONE
        st.warning(f"There is no run {label(run_id)} here. {why}", icon=":material/search_off:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start a new run",
            key="forget_run",
            icon=":material/add:",
            on_click=session.show_run,
            args=(None,),
        )
        st.page_link(HISTORY, label="Look in the History", icon=":material/history:")


def _restore(runtime: Runtime, run_id: str) -> None:
    try:
        runtime.store.history.restore([run_id])
    except StoreError as error:
        st.session_state["notice"] = str(error)


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
