"""What can be done with the runs that are ticked: compare, export, delete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from components.history.acts import choose, delete
from components.history.words import count
from fanout.engine.runtime import Runtime
from fanout.export.bundle import zip_export

FEWEST, MOST = 2, 4
"""How many runs stand side by side on the Compare page."""
MOST_EXPORTED = 500
_COMPARE_PAGE = Path(__file__).resolve().parents[2] / "pages" / "compare.py"


def chosen_bar(runtime: Runtime, ids: Sequence[str]) -> None:
    """Draw it; nothing where nothing is ticked."""
    if not ids:
        return
    with st.container(
        key="history_chosen_bar",
        horizontal=True,
        vertical_alignment="center",
        border=True,
        gap="small",
    ):
        st.markdown(f"**{count(len(ids), 'run')} selected**", width="content")
        _compare(ids)
        _export(runtime, ids)
        st.button(
            "Delete",
            key="history_delete_chosen",
            icon=":material/delete:",
            help="They can be brought back.",
            on_click=delete,
            args=(runtime, list(ids)),
        )
        st.button(
            "Clear selection",
            key="history_clear_chosen",
            icon=":material/close:",
            type="tertiary",
            on_click=choose,
            args=([],),
        )


def _compare(ids: Sequence[str]) -> None:
    fits = FEWEST <= len(ids) <= MOST
    pressed = st.button(
        "Compare",
        key="history_compare",
        icon=":material/compare:",
        type="primary",
        disabled=not fits,
        help=None if fits else f"Select {FEWEST} to {MOST} runs to put them side by side.",
    )
    if pressed:
        st.switch_page(_COMPARE_PAGE, query_params={"runs": ",".join(ids)})


def _export(runtime: Runtime, ids: Sequence[str]) -> None:
    fits = len(ids) <= MOST_EXPORTED
    st.download_button(
        "Export as zip",
        lambda: zipped(runtime, ids),
        "fanout-runs.zip",
        "application/zip",
        key="history_export",
        icon=":material/folder_zip:",
        on_click="ignore",
        disabled=not fits,
        help="Every selected run as report, Markdown and JSON, in one file"
        if fits
        else f"At most {MOST_EXPORTED} runs go into one file.",
    )


def zipped(runtime: Runtime, ids: Sequence[str]) -> BinaryIO:
    """The runs of these ids that are still there, as one zip file."""
    loaded = (runtime.store.load(one) for one in ids)
    return zip_export(run for run in loaded if run is not None)
