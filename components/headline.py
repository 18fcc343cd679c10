"""The run in one number: the time it took against one after another, said as honestly as known."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.session import runtime
from fanout.insight.speed import Speed, alone_s, speed, total_cost_usd
from fanout.render.words import money_text
from fanout.snapshot import Snapshot
from fanout.types import RunStatus


def headline(snapshot: Snapshot) -> None:
    """Draw the number, and under it what it does and does not mean."""
    measures = speed(snapshot, snapshot.at)
    st.header(_number(snapshot, measures), anchor=False)
    parts = []
    if measures.ratio is not None and len(snapshot.calls) > 1:
        parts.append(f"{measures.ratio:.1f} times faster than one after another")
    parts += [label(money_text(total_cost_usd(snapshot))), f"overhead {measures.overhead_s:.2f} s"]
    st.caption(" · ".join(parts))
    if snapshot.failure is not None:
        st.error(label(snapshot.failure.message, 600), icon=":material/error:")
    _shared_processors(snapshot, measures)


def _number(snapshot: Snapshot, measures: Speed) -> str:
    wall = f"{measures.wall_s:.1f} s"
    if snapshot.status is RunStatus.STOPPED:
        return f"Stopped after {wall}"
    if snapshot.status is RunStatus.FAILED:
        return f"No answer after {wall}"
    if len(snapshot.calls) < 2:
        return wall
    return f"{wall} instead of {measures.sequential_s:.1f} s"


def _shared_processors(snapshot: Snapshot, measures: Speed) -> None:
    """Branches on one machine slow each other down, and the headline alone would flatter."""
    endpoints = runtime().engine.endpoints
    shared = all(
        call.plan.model.endpoint in endpoints
        and endpoints.get(call.plan.model.endpoint).on_this_machine
        for call in snapshot.calls
    )
    alone = alone_s(snapshot) if shared else None
    if alone is None or alone >= measures.sequential_s:
        return
    st.caption(
        "The branches shared this machine's processors, so each wrote more slowly than it would "
        f"alone. At the combining call's own speed, one after another would take about "
        f"{alone:.1f} s. An endpoint with its own hardware per call brings the full gain."
    )
