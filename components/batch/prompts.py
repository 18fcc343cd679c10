"""Exactly what the first rows would ask, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.plain import label
from fanout.batches import Row
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.types import BranchPlan, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.run import combining_call, plan

SHOWN = 3


def first_prompts(
    runtime: Runtime, workflow: Workflow, rows: Sequence[Row], model: ModelRef
) -> None:
    """Draw the messages of every branch for the first rows that are wanted, unfolded on demand."""
    shown = [row for row in rows if not row.skipped][:SHOWN]
    with st.expander(
        f"Exact prompts of the first {len(shown)} rows" if len(shown) > 1 else "Exact prompts",
        icon=":material/visibility:",
        key="batch_prompts",
        on_change="rerun",
    ) as area:
        if not area.open:
            return
        for tab, row in zip(st.tabs([f"Row {row.number}" for row in shown]), shown, strict=True):
            with tab:
                _row(runtime, workflow, row, model)


def _row(runtime: Runtime, workflow: Workflow, row: Row, model: ModelRef) -> None:
    filled = workflow.with_variables(row.values)

    def resolve(name: str) -> ModelRef:
        return runtime.engine.endpoints.resolve(name, model)

    try:
        plans = plan(filled, row.topic, resolve)
        combine = combining_call(filled, row.topic, resolve)
    except FanoutError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    for one in plans:
        _call(one)
    if combine is not None:
        _call(combine)
        st.caption("The results go in where there is nothing yet.")


def _call(call: BranchPlan) -> None:
    st.markdown(f"**{label(call.title, 80)}**")
    if not call.messages:
        st.caption("No model is asked: it searches for the topic as it stands.")
    for message in call.messages:
        if message.role == "system":
            st.caption("System message")
        st.code(message.content, language=None, wrap_lines=True)
