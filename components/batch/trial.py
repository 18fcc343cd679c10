"""After a trial: what its rows cost and took, what all will, and the way to start the rest."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import streamlit as st

from components.batch import words
from components.batch.said import tried
from components.plain import label
from components.session import wake_worker
from fanout.batch.estimate import BatchEstimate, after_trial
from fanout.batch.estimate_words import cost_words, time_words
from fanout.batch.timing import Pace, TimeSpan
from fanout.batches import Batch, BatchState, RowState
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.workflows.parsing import parse

_TOLD = (RowState.SUCCEEDED, RowState.PARTIAL)
_TRIED = 50


def trial_over(runtime: Runtime, batch: Batch, held: int) -> None:
    """Draw it; nothing where no row is held back."""
    if not held:
        return
    going = batch.state is BatchState.RUNNING
    with st.container(border=True, key="batch_trial"):
        st.markdown(
            f":material/science: **Trial**: {words.count(held, 'row')} held back until you start "
            "them. The rows of the trial are part of the batch and are not asked again."
        )
        if not going:
            _sharpened(runtime, batch, held)
        st.button(
            f"Start the other {words.count(held, 'row')}",
            key="batch_start_rest",
            type="primary",
            icon=":material/play_arrow:",
            disabled=going,
            on_click=partial(_start_rest, runtime, batch),
        )


def _sharpened(runtime: Runtime, batch: Batch, held: int) -> None:
    """What the others will take, going by those that were tried."""
    records = runtime.store.batches.rows(batch.id, states=_TOLD, limit=_TRIED)
    if not records:
        st.markdown("None of them was answered, so nothing can be said of the others yet.")
        return
    found = after_trial(_before(runtime, batch, held), records)
    st.markdown(f"For the other {words.count(held, 'row')}:")
    st.markdown(f"- {label(cost_words(found), 400)}\n- {label(time_words(found.time), 400)}")


def _before(runtime: Runtime, batch: Batch, held: int) -> BatchEstimate:
    """The estimate that the batch was made with, for the rows that are held back."""
    kept = batch.estimate
    share = Decimal(held) / max(1, int(str(kept.get("rows") or held)))

    def part(name: str) -> int:
        return round(Decimal(str(kept.get(name) or 0)) * share)

    def money(name: str) -> Decimal | None:
        usd = kept.get(name)
        return None if usd is None else Decimal(str(usd)) * share

    return BatchEstimate(
        rows=held,
        calls=part("calls"),
        input_tokens=part("input_tokens"),
        output_tokens_least=part("output_tokens_least"),
        output_tokens_most=part("output_tokens_most"),
        low_usd=money("low_usd"),
        high_usd=money("high_usd"),
        basis=str(kept.get("basis") or "no estimate was kept"),
        time=TimeSpan(low_s=None, high_s=None, basis=str(kept.get("time_basis") or "")),
        pace=Pace(
            rows=held,
            concurrency=batch.concurrency,
            branches=int(str(kept.get("branches") or 0)) or _branches(batch),
            calls=part("calls"),
            tokens=part("tokens_least"),
            rows_per_minute=batch.rows_per_minute,
            via=batch.via,
        ),
        endpoint=runtime.engine.endpoints.known(batch.model.endpoint),
    )


def _branches(batch: Batch) -> int:
    """Calls of a row that are in flight at once, where no estimate says so."""
    try:
        return len(parse(batch.definition, name=batch.workflow).active)
    except FanoutError:
        return 1


def _start_rest(runtime: Runtime, batch: Batch) -> None:
    batches = runtime.store.batches
    if tried(lambda: batches.release(batch.id)):
        tried(lambda: batches.resume(batch.id))
        wake_worker()
