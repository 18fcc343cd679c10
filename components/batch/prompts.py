"""Exactly what the first rows would ask, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.plain import label
from fanout.batch.previewing import FIRST, RowPreview, previews
from fanout.batches import Row
from fanout.engine.runtime import Runtime
from fanout.types import BranchPlan, ModelRef
from fanout.workflows.definition import Workflow


def first_prompts(
    runtime: Runtime, workflow: Workflow, rows: Sequence[Row], model: ModelRef
) -> None:
    """Draw the messages of every branch for the first rows that are wanted, once unfolded."""
    with st.expander(
        f"Exact prompts of the first {FIRST} rows",
        icon=":material/visibility:",
        key="batch_prompts",
        on_change="rerun",
    ) as area:
        if not area.open:
            return

        def resolve(name: str) -> ModelRef:
            return runtime.engine.endpoints.resolve(name, model)

        shown = previews(rows, workflow, resolve)
        if not shown:
            st.caption("No row is left to be asked.")
            return
        for tab, one in zip(st.tabs([f"Row {p.row.number}" for p in shown]), shown, strict=True):
            with tab:
                _row(one)


def _row(shown: RowPreview) -> None:
    if shown.problem:
        st.error(label(shown.problem, 400), icon=":material/error:")
    for one in shown.branches:
        _call(one)
    if shown.combine is not None:
        _call(shown.combine)
        st.caption("The results go in where there is nothing yet.")


def _call(call: BranchPlan) -> None:
    st.markdown(f"**{label(call.title, 80)}**")
    if not call.messages:
        st.caption("No model is asked: it searches for the topic as it stands.")
    for message in call.messages:
        st.caption("System message" if message.role == "system" else "Message")
        st.code(message.content, language=None, wrap_lines=True)
