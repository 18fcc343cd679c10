"""What the History page says where there is nothing to list, or where nothing is kept."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components.history.address import ask
from components.history.asked import Asked
from components.history.filters import clear_button
from components.history.words import count
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.store.store import Store
from fanout.store.values import Question

_RUN_PAGE = Path(__file__).resolve().parents[2] / "pages" / "run.py"


def store_notices(store: Store) -> None:
    """Whether runs are kept at all, and what became of the database."""
    if not store.kept:
        st.warning(
            "Runs are in memory only and are gone when Fanout ends, because nothing can be written "
            "where they would be kept. Let FANOUT_HOME name a folder that can be written to, and "
            "start Fanout again; what matters now can be exported from its page.",
            icon=":material/warning:",
        )
    for problem in store.problems:
        st.warning(label(problem, 600), icon=":material/warning:")


def nothing_found(runtime: Runtime, now: Asked) -> None:
    """No run yet, none that fits, or none deleted; each with a way on."""
    with st.container(border=True, key="history_empty"):
        if now.narrows:
            where = "deleted run" if now.deleted else "run"
            st.markdown(f":material/search_off: **No {where} fits the search and filters.**")
            clear_button(now, key="history_clear_empty")
        elif now.deleted:
            st.markdown(":material/delete: **Nothing is deleted.**")
            st.button(
                "Back to all runs",
                key="history_back",
                icon=":material/arrow_back:",
                on_click=ask,
                args=(Asked(sort=now.sort),),
            )
        else:
            st.markdown(":material/history: **No runs yet.**")
            st.markdown(
                "Every run is kept here from its first second, to be found and shown again."
            )
            if deleted := deleted_runs(runtime):
                st.caption(f"{count(deleted, 'deleted run')} can be brought back under Filters.")
            if hidden := rows_of_batches(runtime):
                st.caption(
                    f"{count(hidden, 'row')} of batches can be shown under Filters; each is on "
                    "its batch's page, too."
                )
            st.page_link(_RUN_PAGE, label="Start the first run", icon=":material/play_arrow:")


def rows_of_batches(runtime: Runtime) -> int:
    """How many runs are only left out because they are rows; asked where there are no others."""
    try:
        return runtime.store.history.find(Question(limit=1)).total
    except FanoutError:
        return 0


def deleted_runs(runtime: Runtime) -> int:
    """How many can be brought back."""
    try:
        return runtime.store.history.find(Question(deleted=True, limit=1)).total
    except FanoutError:
        return 0
