"""A file becomes a table: its format is told by content first, by the end of its name second."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from fanout.batch.reading import json_lines, separated
from fanout.batch.reading.decoding import text_of
from fanout.batch.reading.gathering import gathered
from fanout.batch.reading.table import Table, shown_name
from fanout.batch.reading.workbook import workbook
from fanout.bounds import LOCAL, Bounds
from fanout.errors import InputError

READABLE = "CSV, XLSX and JSONL"
PASTED = "What was pasted"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOOKED_AT = 1 << 20


def read_table(
    source: bytes | Path,
    name: str = "",
    limits: Bounds = LOCAL,
    *,
    sheet: str = "",
    header: bool | None = None,
    encoding: str = "",
) -> Table:
    """The table in a CSV, XLSX or JSONL file, or in a list with one topic a line.

    `sheet` chooses one of a workbook; without it the first that holds anything is read. `header`
    says whether the first row names the columns; None: it is guessed, see `gathered`. `encoding` is
    what a text is read as; without it that is found out, see `Table.doubt`. InputError names the
    file, the line where it can, and what to do. Formulas are texts like any other: what a workbook
    keeps as their result is read, nothing is ever worked out.
    """
    name = shown_name(name or (source.name if isinstance(source, Path) else ""))
    with ExitStack() as held:
        file = held.enter_context(_opened(source, name))
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if not size:
            raise InputError(f"{name} is empty: it has 0 bytes. Was it saved before it was chosen?")
        limits.check_upload(name, size)
        head = file.read(_LOOKED_AT)
        file.seek(0)
        if head.startswith(b"PK\x03\x04"):
            if encoding:
                raise InputError(f"{name} is a workbook, which has no encoding. Name none.")
            said = _misnamed(name, (".xlsx", ".xlsm"), "a workbook")
            return workbook(file, name, limits, sheet=sheet, header=header, notes=said)
        _refuse(name, head)
        return _from_text(file, name, limits, header, encoding)


def read_pasted(text: str, limits: Bounds = LOCAL, *, header: bool | None = None) -> Table:
    """A topic a line, or a table copied from a spreadsheet, with a tab between its cells."""
    limits.check_upload(PASTED, len(text))
    lines = text.splitlines()
    filled = [line for line in lines if line.strip()]
    if separated.tabbed(text):
        pasted = separated.records(io.StringIO(text, newline=""), PASTED, "\t")
        return _without_lines(gathered(pasted, PASTED, limits, header=header))
    if header is None and len(filled) == 1:
        header = False
    topics = ((number, [line]) for number, line in enumerate(lines, 1))
    # That blank lines are left out, and that no header is needed, goes without saying here.
    return replace(_without_lines(gathered(topics, PASTED, limits, header=header)), notes=())


def _without_lines(table: Table) -> Table:
    return replace(table, rows=tuple(row._replace(line=None) for row in table.rows))


def _opened(source: bytes | Path, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return source.open("rb")
    except OSError as error:
        raise InputError(f"{name} can't be read: {error.strerror}.") from None


def _refuse(name: str, head: bytes) -> None:
    """InputError for formats that people mistake for a table."""
    if head.startswith(_OLD_OFFICE):
        raise InputError(
            f"{name} is an old Excel file or one with a password. Save it as .xlsx without a "
            "password, or as CSV UTF-8."
        )
    if b"%PDF-" in head[:1024]:
        raise InputError(f"{name} is a PDF, no table. Choose a CSV, XLSX or JSONL file.")


def _from_text(
    file: BinaryIO, name: str, limits: Bounds, header: bool | None, encoding: str
) -> Table:
    text, found = text_of(file, name, encoding)
    try:
        table = _from_lines(text, found.note, name, limits, header)
        return replace(table, doubt=found.doubt)
    finally:
        # The file is closed by whoever opened it.
        text.detach()


def _from_lines(
    text: io.TextIOWrapper, note: str, name: str, limits: Bounds, header: bool | None
) -> Table:
    first = next((line for line in text if line.strip()), "")
    text.seek(0)
    ending = PurePosixPath(name).suffix.lower()
    notes = [note] if note else []
    if ending in (".xlsx", ".xlsm", ".xls"):
        notes.append(f"It is named {ending} and holds text, so it was read as text.")
    if ending in (".jsonl", ".ndjson") or json_lines.looks_like_it(first):
        found = json_lines.records(text, name, limits.batch_rows)
        return gathered(found, name, limits, header=True, notes=notes)
    if ending == ".json" and first.lstrip().startswith(("[", "{")):
        what = "list" if first.lstrip().startswith("[") else "object over several lines"
        raise InputError(
            f"{name} is one JSON {what}. Write each of its objects on a line of its own (JSONL)."
        )
    if ending == ".txt" and "\t" not in first:
        lines = ((number, [line.rstrip("\r\n")]) for number, line in enumerate(text, 1))
        return gathered(lines, name, limits, header=header, notes=notes)
    found = separated.records(text, name)
    return gathered(found, name, limits, header=header, notes=notes)


def _misnamed(name: str, endings: Sequence[str], what: str) -> tuple[str, ...]:
    ending = PurePosixPath(name).suffix.lower()
    if not ending or ending in endings:
        return ()
    return (f"It is named {ending} and is {what}, so it was read as one.",)
