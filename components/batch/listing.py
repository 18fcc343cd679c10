"""All batches, newest first: what each is, how far it is and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from components.batch import words
from components.batch.address import ID, PAGE, show_new
from components.batch.away import patiently
from components.history.words import zone
from components.plain import label
from fanout.batches import Batch, BatchState, Progress, RowState
from fanout.engine.runtime import Runtime
from fanout.workflows.library import load_all

ON_A_PAGE = 20
MOST = 1000
# The page that a link leads to is this one, but the link is no mark of that.
_CALM = "<style>[class*='st-key-batch-'] [data-testid='stPageLink'] a{background:none}</style>"
WATCH_S = 3.0


def all_batches(runtime: Runtime) -> None:
    """Draw the list, or what a batch is for where there is none yet."""
    batches = runtime.store.batches.all(limit=MOST)
    if not batches:
        _none_yet()
        return
    with st.container(horizontal=True, vertical_alignment="center", key="batch_list_head"):
        st.markdown(f"**{words.count(len(batches), 'batch', 'batches')}**", width="stretch")
        _new_button(primary=True)
    st.html(_CALM)
    pages = -(-len(batches) // ON_A_PAGE)
    page = min(st.session_state.get("batch_list_page", 1), pages)
    shown = batches[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    titles = {one.name: one.title for one in load_all(runtime.settings.home).workflows}
    live = any(batch.state is BatchState.RUNNING for batch in shown)
    drawn = st.fragment(patiently(_rows), run_every=WATCH_S if live else None)
    drawn(runtime, tuple(batch.id for batch in shown), titles)
    if pages > 1:
        st.pagination(pages, default=page, key="batch_list_page")


def _rows(runtime: Runtime, ids: tuple[str, ...], titles: Mapping[str, str]) -> None:
    for batch_id in ids:
        batch = runtime.store.batches.get(batch_id)
        if batch is not None:
            _row(runtime, batch, titles)


def _row(runtime: Runtime, batch: Batch, titles: Mapping[str, str]) -> None:
    progress = runtime.store.batches.progress(batch.id)
    held = runtime.store.batches.held(batch.id) if progress.counts.get(RowState.SKIPPED) else 0
    with st.container(border=True, key=f"batch-{batch.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                PAGE,
                label=f"**{label(batch.title, 80) or 'Without a title'}**",
                icon=words.BATCH_ICONS[batch.state],
                query_params={ID: batch.id},
                width="stretch",
            )
            st.markdown(f"**{words.state_word(batch, held)}**", width="content")
        st.progress(words.share(progress))
        st.caption(
            " · ".join(
                filter(
                    None,
                    (
                        label(titles.get(batch.workflow, batch.workflow), 60),
                        label(batch.model.model or "", 60),
                        words.ended_text(progress),
                        f"{words.count(held, 'row')} held back" if held else "",
                        label(_spent(batch, progress)),
                        f"made {datetime.fromtimestamp(batch.created_at, zone()):%Y-%m-%d %H:%M}",
                    ),
                )
            )
        )
        if batch.why:
            st.caption(f":orange[:material/info: {label(batch.why, 300)}]")


def _spent(batch: Batch, progress: Progress) -> str:
    known = f"cost {words.spent_text(progress, batch.budget)}" if progress.ended else ""
    return " ".join(filter(None, (known, words.usd_cap(batch))))


def _none_yet() -> None:
    with st.container(border=True, key="batch_empty"):
        st.markdown(":material/table_rows: **No batches yet.**")
        st.markdown(
            "A batch carries one workflow out on a list of topics, a row each: a CSV, XLSX or "
            "JSONL file, or lines that you paste. It goes on when this page is closed, survives a "
            "restart, and other machines can help."
        )
        _new_button(primary=True)


def _new_button(*, primary: bool) -> None:
    st.button(
        "New batch",
        key="new_batch",
        type="primary" if primary else "secondary",
        icon=":material/add:",
        on_click=show_new,
    )
