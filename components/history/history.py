"""The History page, put together: what was asked for, what was found, what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from components.exports.importing import import_area
from components.history.acts import carry_out, choose, chosen, edit, purge, undo_bar
from components.history.address import ask, asked_now
from components.history.asked import ON_A_PAGE, Asked
from components.history.chosen_bar import chosen_bar
from components.history.empty import (
    deleted_runs,
    nothing_found,
    rows_of_batches,
    store_notices,
)
from components.history.filters import filters
from components.history.known import known
from components.history.listing import listing
from components.history.run_label import told
from components.history.totals import over_time, totals_line
from components.history.words import count, zone
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.store.values import DayTotal, Found, Question, RunRow
from fanout.types import RunStatus
from fanout.workflows.library import load_all

WATCH_S = 3.0


def history(runtime: Runtime) -> None:
    """Draw the page. Whatever the address says, it comes up."""
    now = asked_now()
    store_notices(runtime.store)
    try:
        found, now = _found(runtime, now)
        facets = known("facets", runtime.store.history.facets)
        # Order and page change nothing about the sums.
        about = replace(now, sort="newest", page=1)
        days = known(about, lambda: runtime.store.history.days(about.question(zone())))
    except FanoutError as error:
        st.error(label(str(error), 500), icon=":material/error:")
        return
    if found.total or now.narrows or now.deleted or now.rows or _others(runtime):
        filters(now, facets, _titles(runtime, found.rows))
    _body(runtime, now, found, days)
    edit(runtime, found.rows)


def _others(runtime: Runtime) -> bool:
    """Whether a filter brings runs to an empty list."""
    return bool(deleted_runs(runtime) or rows_of_batches(runtime))


def _body(runtime: Runtime, now: Asked, found: Found, days: Sequence[DayTotal]) -> None:
    undo_bar(runtime)
    if problem := told():
        st.error(label(problem, 400), icon=":material/error:")
    if not now.deleted:
        chosen_bar(runtime, chosen())
    if not found.total:
        nothing_found(runtime, now)
        import_area(runtime)
        return
    with st.container(horizontal=True, vertical_alignment="center", key="history_summary"):
        with st.container(width="stretch"):
            if now.deleted:
                st.markdown(f"**{count(found.total, 'deleted run')}**, to be restored or removed")
            else:
                totals_line(days, found.total)
        if now.deleted:
            _purge(runtime)
    listing(
        found.rows,
        chosen(),
        deleted=now.deleted,
        on_act=partial(carry_out, runtime, now),
        on_choice=choose,
    )
    _paging(now, found)
    if any(row.status is RunStatus.RUNNING for row in found.rows):
        _watch(runtime, now.question(zone()), found.rows)
    if not now.deleted:
        over_time(days)
    import_area(runtime)


def _found(runtime: Runtime, now: Asked) -> tuple[Found, Asked]:
    """The page that was asked for; the last one where there are fewer."""
    found = runtime.store.history.find(now.question(zone()))
    if not found.rows and now.page > 1:
        now = replace(now, page=max(1, -(-found.total // ON_A_PAGE)))
        ask(now)
        found = runtime.store.history.find(now.question(zone()))
    return found, now


def _paging(now: Asked, found: Found) -> None:
    pages = max(now.page, -(-found.total // ON_A_PAGE))
    if found.at_least and len(found.rows) == ON_A_PAGE:
        pages = max(pages, now.page + 1)
    if pages < 2:
        return
    key = _paging_key(now.page)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.pagination(
            pages, default=now.page, key=key, width="stretch", on_change=_turn, args=(now, key)
        )
        first = (now.page - 1) * ON_A_PAGE + 1
        last = first + len(found.rows) - 1
        more = "more than " if found.at_least and last < found.total else ""
        st.caption(f"{first:,} to {last:,} of {more}{max(last, found.total):,}", width="content")


def _paging_key(page: int) -> str:
    """The same while pages are turned; another where the address was changed by other means."""
    state = st.session_state
    key = f"history_page-{state.get('history_pagings', 0)}"
    if state.get(key, page) == page:
        return key
    state["history_pagings"] = state.get("history_pagings", 0) + 1
    return f"history_page-{state['history_pagings']}"


def _turn(now: Asked, key: str) -> None:
    ask(replace(now, page=int(st.session_state[key])))


def _purge(runtime: Runtime) -> None:
    with st.popover(
        "Remove for good", icon=":material/delete_forever:", key="history_purge", on_change="rerun"
    ):
        st.markdown("All runs that were deleted until now are removed. This can't be undone.")
        st.button(
            "Remove them for good",
            key="history_purge_now",
            type="primary",
            icon=":material/delete_forever:",
            on_click=_purge_now,
            args=(runtime,),
        )


def _purge_now(runtime: Runtime) -> None:
    st.session_state["history_purge"] = False
    purge(runtime)


@st.fragment(run_every=WATCH_S)
def _watch(runtime: Runtime, question: Question, drawn: Sequence[RunRow]) -> None:
    """Draw the page again when a run in the list has gone on."""
    try:
        rows = runtime.store.history.find(question).rows
    except FanoutError:
        return
    if [(r.id, r.status) for r in rows] != [(r.id, r.status) for r in drawn]:
        st.rerun()


def _titles(runtime: Runtime, rows: Sequence[RunRow]) -> dict[str, str]:
    """Workflows' titles by name; one that is gone has the title that its runs were made with."""
    library = known("titles", lambda: load_all(runtime.settings.home))
    made_with = {row.workflow: row.title for row in rows if row.title}
    return made_with | {workflow.name: workflow.title for workflow in library.workflows}
