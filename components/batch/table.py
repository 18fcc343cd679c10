"""The rows of a batch: one page of them, filtered, searched and put in order by the database.

A component draws the page as a real table and changes only what has changed, so that a table that
fills every two seconds neither jumps nor loses the place of a keyboard or a screen reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from components.batch import words
from components.batch.failures import cause_shown
from components.batch.spans import verdict_name
from components.plain import shortened
from fanout.batches import HELD, Batch, Progress, RowRecord, RowResult, RowState
from fanout.engine.runtime import Runtime
from fanout.insight.plain_text import plain
from fanout.render.words import seconds_text

ON_A_PAGE = 25
_READ = 800
"""Characters of an answer, its Markdown marks among them, of which the first ones are shown."""
ALL = "all"
_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "fanout_batch_rows",
    html='<div\n class="rows"></div>',
    css=(_HERE / "table.css").read_text("utf-8"),
    js=(_HERE / "table.js").read_text("utf-8"),
)
_SHOWN: Mapping[str, tuple[str, tuple[RowState, ...]]] = {
    ALL: ("All", ()),
    "waiting": ("Waiting", (RowState.WAITING, RowState.QUEUED)),
    "working": ("At work", (RowState.RUNNING,)),
    "answered": ("Answered", (RowState.SUCCEEDED,)),
    "partial": ("In part", (RowState.PARTIAL,)),
    "failed": ("Failed", (RowState.FAILED,)),
    "stopped": ("Stopped", (RowState.STOPPED,)),
    "skipped": ("Left out", (RowState.SKIPPED,)),
}
_ORDERS: Mapping[str, tuple[str, tuple[str, bool]]] = {
    "number": ("In the order of the list", ("number", False)),
    "newest": ("Last ended first", ("finished_at", True)),
    "cost": ("Most expensive first", ("cost", True)),
    "wall": ("Longest first", ("wall", True)),
    "agreement": ("Least agreement first", ("agreement", False)),
}


def rows_table(runtime: Runtime, batch: Batch, progress: Progress) -> None:
    """Draw filters, the page of rows and the way to other pages."""
    states, search, order, descending = _asked(batch, progress)
    batches = runtime.store.batches
    cause = cause_shown(batch)
    total = batches.count(batch.id, states=states, search=search, cause=cause)
    pages = max(1, -(-total // ON_A_PAGE))
    key = _paging_key(batch, (states, search, order, descending, cause), pages)
    page = int(st.session_state.get(key) or 1)
    records = batches.rows(
        batch.id,
        states=states,
        search=search,
        cause=cause,
        order=order,
        descending=descending,
        offset=(page - 1) * ON_A_PAGE,
        limit=ON_A_PAGE,
    )
    _mount(key=f"batch_rows-{batch.id}", data=_drawn(records, total))
    if pages > 1:
        first = (page - 1) * ON_A_PAGE + 1
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.pagination(pages, key=key)
            st.caption(f"{first:,} to {first + len(records) - 1:,} of {total:,}", width="content")


def _asked(batch: Batch, progress: Progress) -> tuple[tuple[RowState, ...], str, str, bool]:
    """Draw the fields and return what they ask for."""
    there = [
        name
        for name, (_, states) in _SHOWN.items()
        if name == ALL
        or any(progress.counts.get(state) for state in states)
        or st.session_state.get(f"batch_show-{batch.id}") == name
    ]
    with st.container(
        horizontal=True, vertical_alignment="bottom", gap="small", key="batch_filters"
    ):
        shown = st.selectbox(
            "Show",
            there,
            key=f"batch_show-{batch.id}",
            format_func=lambda name: _SHOWN[name][0],
            width=150,
        )
        search = st.text_input(
            "Search topics and answers",
            key=f"batch_search-{batch.id}",
            type="search",
            icon=":material/search:",
            width="stretch",
        )
        order = st.selectbox(
            "Order",
            list(_ORDERS),
            key=f"batch_order-{batch.id}",
            format_func=lambda name: _ORDERS[name][0],
            width=230,
        )
    by, descending = _ORDERS[order or "number"][1]
    return _SHOWN[shown or ALL][1], (search or "").strip(), by, descending


def _paging_key(batch: Batch, asked: object, pages: int) -> str:
    """Another list begins on its first page, and so does one that has become shorter."""
    state = st.session_state
    about, turn = state.get(f"batch_asked-{batch.id}", (None, 0))
    key = f"batch_page-{batch.id}-{turn}"
    if about != asked or int(state.get(key) or 1) > pages:
        turn += 1
        key = f"batch_page-{batch.id}-{turn}"
    state[f"batch_asked-{batch.id}"] = (asked, turn)
    return key


def _drawn(records: Sequence[RowRecord], total: int) -> dict[str, object]:
    """What the component takes: words and numbers, nothing to be interpreted."""
    results = [record.result for record in records if record.result is not None]
    return {
        "rows": [line(record) for record in records],
        "verdicts": any(result.verdict or result.agreement is not None for result in results),
        "empty": "" if total else "No row fits.",
    }


def line(record: RowRecord) -> dict[str, object]:
    """One row in words."""
    result = record.result
    told = record.row.skipped or (result.message if result is not None else "")
    return {
        "n": record.row.number,
        "topic": shortened(record.row.topic, 160) or "(empty)",
        "state": str(record.state),
        "word": "Held back" if record.row.skipped == HELD else words.ROW_STATES[record.state],
        "run": record.run_id or "",
        "answer": _line(result.answer) if result is not None else "",
        "told": shortened(told, 200),
        "verdict": _verdict(result) if result is not None else "",
        "agreement": _share(result.agreement) if result is not None else "",
        "time": seconds_text(result.wall_s) if result is not None and result.wall_s else "",
        "cost": words.row_cost(record),
    }


def _verdict(result: RowResult) -> str:
    if result.verdict is None and result.agreement is None:
        return ""
    return shortened(verdict_name(result.verdict), 60)


def _line(answer: str) -> str:
    """The beginning of an answer without its marks, its paragraphs parted by dots."""
    said = (line.strip() for line in plain(answer[:_READ]).splitlines())
    return shortened(" · ".join(filter(None, said)), 200)


def _share(agreement: float | None) -> str:
    return "" if agreement is None else f"{agreement:.0%}"
