"""The menu "Export": a button for each form of a run.

A file is made when its button is pressed, on a thread of its own: nothing is computed before, and
a run that is still going on is told as it stands then.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from fanout.engine.runtime import Runtime
from fanout.errors import InputError, StoreError
from fanout.export.bundle_formats import FORMATS, ExportFormat, file_stem
from fanout.store.values import Label, StoredRun

_GROUPS = (
    ("To read", ("html", "md", "docx")),
    ("Data", ("xlsx", "csv", "json")),
    ("Get code", ("py", "langgraph")),
)
_ICONS = {
    "html": ":material/web:",
    "md": ":material/markdown:",
    "docx": ":material/description:",
    "xlsx": ":material/table_chart:",
    "csv": ":material/csv:",
    "json": ":material/data_object:",
    "py": ":material/code:",
    "langgraph": ":material/account_tree:",
}


def export_menu(runtime: Runtime, run_id: str, *, key: str) -> None:
    """Draw the button that opens it; disabled where the run isn't there."""
    handle = runtime.engine.get(run_id)
    with st.popover("Export", icon=":material/download:", key=key, disabled=handle is None):
        if handle is None:
            return
        shown = StoredRun(events=(), snapshot=handle.snapshot)
        stem = file_stem(replace(shown, label=Label()))
        with st.container(gap="xsmall"):
            for title, names in _GROUPS:
                with st.container(gap=None):
                    st.caption(title)
                    for name in names:
                        _button(runtime, run_id, FORMATS[name], stem, key)


def _button(runtime: Runtime, run_id: str, how: ExportFormat, stem: str, key: str) -> None:
    st.download_button(
        f"{how.label} :gray[:small[{how.about}]]",
        partial(_made, runtime, run_id, how),
        f"{stem}{how.ending}",
        how.mime,
        key=f"{key}-{how.name}",
        icon=_ICONS[how.name],
        type="tertiary",
        on_click="ignore",
    )


def _made(runtime: Runtime, run_id: str, how: ExportFormat) -> bytes:
    return how.make(whole_run(runtime, run_id))


def whole_run(runtime: Runtime, run_id: str) -> StoredRun:
    """The run as it stands now, with what people wrote on it. InputError if it is gone."""
    handle = runtime.engine.get(run_id)
    if handle is None:
        raise InputError("This run isn't there any more.")
    try:
        label = runtime.store.history.label_of(handle.id)
    except StoreError:
        # What people wrote on it is missing then; the run itself is in memory.
        label = Label()
    return StoredRun(events=handle.events, snapshot=handle.snapshot, label=label)
