"""What a batch will take, said before its start with the basis of each figure."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from components.batch.setup import Pace
from components.plain import label
from fanout.batch.conditions import UNKEPT, keeps_budget
from fanout.batch.estimate import estimate_batch
from fanout.batch.estimate_words import estimate_lines
from fanout.batch.preparing import Prepared
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow


def estimate_line(
    runtime: Runtime,
    prepared: Prepared,
    workflow: Workflow,
    model: ModelRef,
    pace: Pace,
    *,
    more: bool = False,
) -> Mapping[str, object]:
    """Draw it; as the batch keeps it, empty where nothing can be said. `more`: they come to a batch
    that is there, and `pace` holds what is left of its budget."""
    if prepared.problems:
        return {}
    try:
        found = estimate_batch(
            prepared.rows,
            workflow,
            model,
            runtime.engine.endpoints,
            runtime.store,
            concurrency=pace.concurrency,
            rows_per_minute=pace.rows_per_minute,
            via=pace.via,
        )
    except FanoutError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return {}
    with st.container(border=True, key="batch_estimate", gap="xsmall"):
        for icon, line in zip(_ICONS, estimate_lines(found), strict=True):
            st.markdown(f":material/{icon}: {label(line, 400)}")
        cap = pace.budget.usd
        if cap is not None and found.high_usd is not None and found.high_usd > cap:
            st.markdown(
                f":orange[:material/warning: {_PAST[more]} the batch pauses then, and says so.]"
            )
        if not keeps_budget(pace.budget, found.record()):
            told = st.warning if more else st.error
            told(UNKEPT, icon=":material/warning:" if more else ":material/error:")
    return found.record()


_ICONS = ("functions", "payments", "schedule")
_PAST = {
    False: "It may cost more than its budget;",
    True: "They may cost more than is left of the budget;",
}
