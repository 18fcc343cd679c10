"""The menu "Export" of a batch: a button for each form, made when it is pressed."""

from __future__ import annotations

from functools import partial
from io import BytesIO

import streamlit as st

from fanout.batches import Batch
from fanout.engine.runtime import Runtime
from fanout.export.batch.formats import BATCH_FORMATS, BatchFormat, batch_file_name, write

MANY = 20_000
"""With more rows the command line is named: a page holds the whole file until it is saved."""
_GROUPS = (("To read", ("html", "md")), ("Data", ("csv", "xlsx", "jsonl", "parquet")))
_ICONS = {
    "html": ":material/web:",
    "md": ":material/markdown:",
    "csv": ":material/csv:",
    "xlsx": ":material/table_chart:",
    "jsonl": ":material/data_object:",
    "parquet": ":material/database:",
}


def export_batch_menu(runtime: Runtime, batch: Batch) -> None:
    """Draw the button that opens it. A batch that is going on is told as it stands then."""
    with (
        st.popover("Export", icon=":material/download:", key="batch_export"),
        st.container(gap="xsmall"),
    ):
        for title, names in _GROUPS:
            there = [name for name in names if name in BATCH_FORMATS]
            if there:
                with st.container(gap=None):
                    st.caption(title)
                    for name in there:
                        _button(runtime, batch, BATCH_FORMATS[name])
        rows = runtime.store.batches.count(batch.id)
        if rows > MANY:
            st.caption(
                f"{rows:,} rows: made here, a file is held in the app's memory until it is saved. "
                f"`python -m fanout export {batch.id} --format csv` writes it row by row.",
                width=320,
            )


def _button(runtime: Runtime, batch: Batch, how: BatchFormat) -> None:
    st.download_button(
        f"{how.label} :gray[:small[{how.about}]]",
        partial(_made, runtime, batch, how.name),
        batch_file_name(batch, how.name),
        how.mime,
        key=f"batch_export-{how.name}",
        icon=_ICONS[how.name],
        type="tertiary",
        on_click="ignore",
    )


def _made(runtime: Runtime, batch: Batch, name: str) -> bytes:
    batches = runtime.store.batches
    now = batches.get(batch.id) or batch
    file = BytesIO()
    write(now, batches.each(batch.id), name, file, workers=batches.workers())
    return file.getvalue()
