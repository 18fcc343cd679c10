"""Where a batch's topics come from: a file, or lines that are pasted; read once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from components.plain import label
from fanout.batch.reading.reading import PASTED, read_pasted, read_table
from fanout.batch.reading.table import Table
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError

UPLOAD, PASTE = "A file", "Pasted lines"
_MB = 1 << 20
"""As the bounds count them, and the field too."""
_KNOWN = "batch_table_known"
_HEADS = {"guess": None, "yes": True, "no": False}
_HEAD_WORDS = {
    "guess": "Fanout finds out",
    "yes": "Yes, it names the columns",
    "no": "No, it is a row like the others",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was read, and what it is called."""

    table: Table
    name: str
    """The file's name without its ending; "" for pasted lines."""
    about: str
    """Tells it from any other: what was decided about its columns belongs to it."""


def source(runtime: Runtime) -> Source | None:
    """Draw the fields and return what they hold; None where that is nothing yet, or no table."""
    way = st.radio(
        "Topics come from",
        [UPLOAD, PASTE],
        key="batch_source",
        horizontal=True,
        persist_state="session",
    )
    try:
        found = _pasted(runtime) if way == PASTE else _uploaded(runtime)
    except FanoutError as error:
        st.error(label(str(error), 600), icon=":material/error:")
        return None
    if found is not None:
        for note in found.table.notes:
            st.info(label(note, 400), icon=":material/info:")
    return found


def _uploaded(runtime: Runtime) -> Source | None:
    most_mb = runtime.settings.bounds.upload_bytes // _MB
    file = st.file_uploader(
        "CSV, XLSX or JSONL file",
        key="batch_file",
        max_upload_size=min(200, max(1, most_mb)),
        help="One topic a row. Other columns can fill variables of the workflow's prompts.",
    )
    if file is None:
        return None
    options = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    header = _header(options)
    sheet = str(st.session_state.get("batch_sheet") or "")
    about = f"{file.file_id}-{header}"

    def read(sheet: str) -> Table:
        return read_table(
            file.getvalue(), file.name, runtime.settings.bounds, sheet=sheet, header=header
        )

    table = _read(about, lambda: read(""))
    if len(table.sheets) > 1:
        if sheet not in table.sheets:
            st.session_state["batch_sheet"] = table.sheet
        sheet = options.selectbox("Sheet", list(table.sheets), key="batch_sheet", width=220)
        if sheet != table.sheet:
            about = f"{about}-{sheet}"
            table = _read(about, lambda: read(sheet))
    return Source(table=table, name=Path(file.name).stem, about=about)


def _pasted(runtime: Runtime) -> Source | None:
    text = st.text_area(
        "One topic a line",
        key="batch_pasted",
        height=180,
        placeholder="Should the town hall open on Saturdays?\nShould buses be free for pupils?",
        help="Or cells copied from a spreadsheet, with the names of the columns in the first line.",
        persist_state="session",
    )
    if not (text or "").strip():
        return None
    about = _about_pasted(text)
    table = _read(about, lambda: read_pasted(text, runtime.settings.bounds))
    return Source(table=table, name="", about=about)


def unchanged(found: Source) -> bool:
    """Whether the fields still hold what was read: lines that were typed a moment before Start is
    pressed arrive together with the click, and nobody has seen them as rows."""
    if st.session_state.get("batch_source") != PASTE:
        return True
    return found.about == _about_pasted(st.session_state.get("batch_pasted") or "")


def _about_pasted(text: str) -> str:
    return f"{PASTED}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _header(where: st.delta_generator.DeltaGenerator) -> bool | None:
    chosen = where.selectbox(
        "First row names the columns",
        list(_HEADS),
        key="batch_header",
        format_func=_HEAD_WORDS.__getitem__,
        width=280,
        persist_state="session",
    )
    return _HEADS[chosen]


def _read(about: str, read: Callable[[], Table]) -> Table:
    """Read it, or take what was read of it before in this session."""
    known: dict[str, Table] = st.session_state.setdefault(_KNOWN, {})
    if about not in known:
        if len(known) > 1:
            known.clear()
        with st.spinner("Reading the rows"):
            known[about] = read()
    return known[about]


def forget_source() -> None:
    """The batch is made: the next one begins with nothing."""
    for key in (_KNOWN, "batch_pasted", "batch_sheet", "batch_prepared"):
        st.session_state.pop(key, None)
