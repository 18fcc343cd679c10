"""After a trial: what its rows cost and took, what all will, and the way to start the rest."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import streamlit as st

from components.batch import words
from components.batch.said import tried
from components.plain import label
from fanout.batches import Batch, BatchState, RowState
from fanout.engine.runtime import Runtime
from fanout.render.words import seconds_text, usd_text

_TOLD = (RowState.SUCCEEDED, RowState.PARTIAL)
_TRIED = 50


def trial_over(runtime: Runtime, batch: Batch) -> None:
    """Draw it; nothing where no row is held back."""
    held = runtime.store.batches.held(batch.id)
    if not held:
        return
    waiting = batch.state is BatchState.RUNNING
    with st.container(border=True, key="batch_trial"):
        st.markdown(
            f":material/science: **Trial**: {words.count(held, 'row')} held back until you start "
            "them. The rows of the trial are part of the batch and are not asked again."
        )
        if not waiting:
            st.markdown(label(_sharpened(runtime, batch, held), 400))
        st.button(
            f"Start the other {words.count(held, 'row')}",
            key="batch_start_rest",
            type="primary",
            icon=":material/play_arrow:",
            disabled=waiting,
            on_click=partial(_start_rest, runtime, batch),
        )


def _sharpened(runtime: Runtime, batch: Batch, held: int) -> str:
    """ "Going by 3 rows: the other 997 would cost about $0.42 and take about 12 min"."""
    records = runtime.store.batches.rows(batch.id, states=_TOLD, limit=_TRIED)
    results = [record.result for record in records if record.result is not None]
    if not results:
        return "None of them was answered, so nothing can be said of the others yet."
    costs = [result.cost.usd for result in results if result.cost is not None]
    walls = [result.wall_s for result in results]
    each_s = sum(walls) / len(walls)
    total_s = held * each_s / min(batch.concurrency, held)
    if batch.rows_per_minute:
        total_s = max(total_s, held / batch.rows_per_minute * 60)
    money = "at a cost that is unknown"
    if len(costs) == len(results):
        usd = sum(costs, Decimal(0)) / len(costs) * held
        money = f"for about {usd_text(usd)}" if usd else "for nothing"
    return (
        f"Going by {words.count(len(results), 'row')} of it, about {seconds_text(each_s)} each: "
        f"the others would take {words.about(words.time_text(total_s))} {money}."
    )


def _start_rest(runtime: Runtime, batch: Batch) -> None:
    batches = runtime.store.batches
    if tried(lambda: batches.release(batch.id)):
        tried(lambda: batches.resume(batch.id))
