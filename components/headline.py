"""The run in one number: the time it took against one after another, said as honestly as known."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.insight.speed import Speed, alone_s, speed, total_cost_usd
from fanout.render.words import money_text
from fanout.snapshot import Snapshot
from fanout.types import BranchState, RunStatus


def headline(snapshot: Snapshot) -> None:
    """Draw the number, and under it what it does and does not mean."""
    measures = speed(snapshot, snapshot.at)
    st.header(_number(snapshot, measures), anchor=False)
    alone = _alone_s(snapshot)
    parts = []
    whole = snapshot.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    if whole and measures.ratio is not None and len(snapshot.calls) > 1:
        by = "by the calls' own times" if alone else "than one after another"
        parts.append(f"{measures.ratio:.1f} times faster {by}")
    parts += [label(money_text(total_cost_usd(snapshot))), f"overhead {measures.overhead_s:.2f} s"]
    backed_off = sum(go.spent_s(BranchState.RETRYING, snapshot.at) for go in snapshot.goes)
    if backed_off:
        parts.append(f"{backed_off:.1f} s of backing off are in the first number only")
    st.caption(" · ".join(parts))
    if snapshot.failure is not None:
        st.error(label(snapshot.failure.message, 600), icon=":material/error:")
    if alone is not None:
        st.markdown(
            f"**Really one after another: about {alone:.1f} s on this machine.** The branches "
            "shared its processors and slowed each other down, so the sum of their times "
            "flatters. At the speed the combining call had to itself, this is what they would "
            "have taken. An endpoint with hardware for each call brings the full gain."
        )


def _number(snapshot: Snapshot, measures: Speed) -> str:
    wall = f"{measures.wall_s:.1f} s"
    if snapshot.status is RunStatus.STOPPED:
        return f"Stopped after {wall}"
    if snapshot.status is RunStatus.INTERRUPTED:
        return f"Interrupted after {wall}"
    if snapshot.status is RunStatus.FAILED:
        return f"No answer after {wall}"
    if len(snapshot.calls) < 2:
        return wall
    return f"{wall} instead of {measures.sequential_s:.1f} s"


def _alone_s(snapshot: Snapshot) -> float | None:
    """The honest number where calls shared one machine; None where the headline is honest."""
    known = snapshot.made_with.endpoints if snapshot.made_with else {}
    endpoints = {call.plan.model.endpoint for call in snapshot.calls}
    shared = all(name in known and known[name].on_this_machine for name in endpoints)
    finished = snapshot.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    return alone_s(snapshot) if shared and finished else None
