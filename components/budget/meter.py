"""Below a run: how much of its budget is taken, live, and how good its estimate was, after."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from components.board.feed import Handle
from components.budget.words import (
    Gauge,
    accuracy_words,
    day_gauges,
    foreseen_words,
    gauges,
)
from components.plain import label
from fanout.budget.amount import Taken
from fanout.budget.budgets import Budgets, spent_in
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, StoreError
from fanout.insight.accuracy import span_of
from fanout.policies import Budget
from fanout.snapshot import Snapshot
from fanout.types import RunStatus

LOOK_S = 1.0


def budget_meter(runtime: Runtime, handle: Handle) -> None:
    """Nothing where nothing is capped and the run goes on; polls only while it does."""
    snapshot = handle.snapshot
    if snapshot.status.finished:
        _bars(_gauges(runtime.engine.budgets, handle))
        _afterwards(runtime, snapshot)
    elif _capped(runtime, snapshot):
        st.fragment(_watched, run_every=LOOK_S)(runtime, handle)


def _watched(runtime: Runtime, handle: Handle) -> None:
    _bars(_gauges(runtime.engine.budgets, handle))


def _bars(shown: tuple[Gauge, ...]) -> None:
    for number, gauge in enumerate(shown):
        with st.container(key=f"budget_meter_{number}"):
            st.progress(gauge.share, text=label(gauge.text, 200))


def _gauges(budgets: Budgets, handle: Handle) -> tuple[Gauge, ...]:
    snapshot = handle.snapshot
    meter = budgets.meter(snapshot.run_id)
    cap = meter.cap if meter is not None else _cap(snapshot)
    taken = meter.taken if meter is not None else Taken(spent=spent_in(snapshot))
    shown = gauges("This run", cap, taken)
    if not snapshot.status.finished:
        # What can't be looked up is told by the calls that are skipped for it.
        with suppress(FanoutError):
            if budgets.caps.now().capped:
                shown += day_gauges(budgets.today())
    return shown


def _afterwards(runtime: Runtime, snapshot: Snapshot) -> None:
    span = span_of(snapshot)
    if span is None or snapshot.status not in (RunStatus.SUCCEEDED, RunStatus.PARTIAL):
        # What a run took that did not come to its end says nothing of how well it was foreseen.
        return
    told = foreseen_words(span)
    with suppress(StoreError):
        past = runtime.store.estimates.past()
        if past is not None:
            told += f" {accuracy_words(past)}."
    st.caption(label(told, 300))


def _capped(runtime: Runtime, snapshot: Snapshot) -> bool:
    with suppress(FanoutError):
        if runtime.engine.budgets.caps.now().capped:
            return True
    return _cap(snapshot).capped


def _cap(snapshot: Snapshot) -> Budget:
    return snapshot.policies.budget if snapshot.policies is not None else Budget()
