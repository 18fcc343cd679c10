"""The part of a batch's page that goes on by itself while rows are at work.

It asks the database for one count and one page of rows, whatever the batch's size, and stops when
nothing moves any more: then a look now and then tells whether somebody made it go on elsewhere.
"""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from components.batch import words
from components.batch.away import patiently
from components.batch.crew import able_workers, crew
from components.batch.failures import failures
from components.batch.table import rows_table
from components.plain import label
from fanout.batches import Batch, BatchState, Progress, RowState
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.render.words import seconds_text
from fanout.types import Via

LIVE_S = 2.0
QUIET_S = 10.0
HOUR_S = 3600.0


def watching(runtime: Runtime, batch: Batch, held: int) -> None:
    """Draw it, again and again while the batch is running; `held` rows wait for a trial."""
    progress = runtime.store.batches.progress(batch.id)
    live = moves(batch, progress)
    st.fragment(patiently(_drawn), run_every=LIVE_S if live else None)(runtime, batch, live, held)
    if not live:
        st.fragment(_glance, run_every=QUIET_S)(runtime, batch, progress.ended)


def moves(batch: Batch, progress: Progress) -> bool:
    """Whether anything changes without a click: rows under way are finished in a pause, too."""
    under_way = any(progress.counts.get(state) for state in words.UNDER_WAY)
    return batch.state is BatchState.RUNNING or under_way


def _drawn(runtime: Runtime, batch: Batch, live: bool, held: int) -> None:
    now = runtime.store.batches.get(batch.id)
    progress = runtime.store.batches.progress(batch.id)
    workers = runtime.store.batches.workers()
    if now is None or now.changed != batch.changed or moves(now, progress) != live:
        # Buttons and headings stand outside of this part.
        st.rerun()
    # Each part in a box that is always there, so that nothing below moves to another place.
    with st.container(key="batch_progress"):
        _progress(now, progress)
    with st.container(key="batch_figures"):
        _figures(now, progress, held, bool(able_workers(now, workers)))
    with st.container(key="batch_crew"):
        crew(now, progress, workers)
    with st.container(key="batch_failures"):
        failures(runtime, now, progress)
    with st.container(key="batch_table"):
        rows_table(runtime, now, progress)


def _glance(runtime: Runtime, batch: Batch, ended: int) -> None:
    try:
        now = runtime.store.batches.get(batch.id)
    except FanoutError:
        return
    if now is None or now.changed != batch.changed:
        st.rerun()


def _progress(batch: Batch, progress: Progress) -> None:
    st.progress(words.share(progress), text=words.ended_text(progress))


def _figures(batch: Batch, progress: Progress, held: int, able: bool) -> None:
    """`able`: a worker is there that can carry it out."""
    with st.grid(4, min_column_width=150, gap="small"):
        st.metric("Rows ended", f"{progress.ended:,}", help=words.ended_text(progress), border=True)
        name, span, told = _time(batch, progress, able)
        st.metric(name, span, help=told, border=True)
        st.metric(
            "Cost so far",
            label(words.spent_text(progress, batch.budget, free=not batch.budget.usd)),
            delta=label(words.usd_cap(batch)) or None,
            delta_color="off",
            delta_arrow="off",
            help=words.spent_of(batch.budget.usd is not None),
            border=True,
        )
        st.metric(
            "Tokens",
            f"{progress.tokens_under(batch.budget):,}",
            delta=words.token_cap(batch) or None,
            delta_color="off",
            delta_arrow="off",
            help=f"In and out. {words.spent_of(batch.budget.tokens is not None)}",
            border=True,
        )
    st.caption(label(_told(batch, progress, held, able), 300))
    _capped(batch, progress)


def _time(batch: Batch, progress: Progress, able: bool) -> tuple[str, str, str]:
    """What is left of it, or how long it took: a name, the span, and a sentence."""
    if progress.left or batch.started_at is None or batch.finished_at is None:
        told = words.remaining_text(progress) or "Every row has ended"
        return "Time left", _left(batch, progress, able), told
    took_s = max(0.0, batch.finished_at - batch.started_at)
    span = words.time_text(took_s) if took_s >= HOUR_S else seconds_text(took_s)
    return "Took", span, "From the start to the end of the last row, pauses included"


def _left(batch: Batch, progress: Progress, able: bool) -> str:
    if not progress.left:
        return "–"
    if batch.state is not BatchState.RUNNING:
        return words.state_word(batch).lower()
    if able and progress.via is Via.PROVIDER:
        return "< 24 h"
    left_s = progress.remaining_s if able else None
    if left_s is None:
        return "unknown"
    return words.about(words.time_text(left_s)).replace("about", "≈").replace("under", "<")


def _told(batch: Batch, progress: Progress, held: int, able: bool) -> str:
    left_out = progress.counts.get(RowState.SKIPPED, 0) - held
    running = batch.state is BatchState.RUNNING and able
    parts = [
        words.remaining_text(progress) if running else "",
        f"{words.count(words.waiting(progress), 'row')} waiting" if progress.left else "",
        f"{words.count(held, 'row')} held back" if held else "",
        f"{words.count(left_out, 'row')} left out" if left_out else "",
        words.unknown_text(progress),
    ]
    told = " · ".join(filter(None, parts))
    return f"{told[:1].upper()}{told[1:]}"


def _capped(batch: Batch, progress: Progress) -> None:
    """A bar for the cap that is used up first; nothing without a cap."""
    shares = []
    if batch.budget.usd:
        shares.append(Decimal(progress.cost_under(batch.budget)) / words.NANO / batch.budget.usd)
    if batch.budget.tokens:
        shares.append(Decimal(progress.tokens_under(batch.budget)) / batch.budget.tokens)
    if shares:
        used = min(1.0, float(max(shares)))
        st.progress(used, text=f"{used:.0%} of the budget used")
