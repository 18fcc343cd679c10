"""Records one by one become a table: blank ones left out, ragged ones mended and told, all bounded.

Every format comes through here, so that they have the same bounds and say the same words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from fanout.batch.reading.table import TOPIC, Table, TableRow, is_usual, lines_named, named
from fanout.bounds import Bounds
from fanout.errors import InputError
from fanout.workflows.topic import clean_words

Record = tuple[int, Sequence[str]]
"""The line where it begins, and its cells."""
_TIMES = 4
"""So much memory may all texts take, measured in the largest file that is taken: one that is only
text never reaches it, a workbook that says one long text again and again in a few bytes does."""
_EMPTY = 80
"""Bytes that a text may take beside its characters."""


class _Found:
    """What has come so far, and the lines where something was mended."""

    def __init__(self) -> None:
        self.rows: list[TableRow] = []
        self.blank: list[int] = []
        self.short: list[int] = []
        self.long: list[int] = []
        self.size = 0


def gathered(
    records: Iterable[Record],
    name: str,
    limits: Bounds,
    *,
    header: bool | None = None,
    notes: Sequence[str] = (),
    ragged: bool = True,
) -> Table:
    """The table of those records; InputError where there is nothing in them, or too much.

    `header`: whether the first record names the columns. None: it does, except where there is only
    one column whose first cell is no usual name of one. Where rows of different lengths are nothing
    unusual, `ragged` is False and nobody is told.
    """
    there = iter(records)
    first = next(((line, cells) for line, cells in there if not _blank(cells)), None)
    if first is None:
        raise InputError(f"{name} holds no rows. Was it saved before it was chosen?")
    line, cells = first
    cells = _without_end(cells)
    heads = header if header is not None else len(cells) > 1 or is_usual(cells[0])
    columns, said = named(cells if heads else _unnamed(len(cells)), name)
    found = _Found()
    if not heads:
        _add(found, line, cells, len(columns), name, limits)
        if header is None:
            said.append(
                "Its first line is no usual name of a column, so it is taken as the first topic."
            )
    elif header is None and not any(map(is_usual, cells)):
        said.append(
            "Its first line is taken as the names of its columns. If it is a row like the others, "
            'say so ("First row names the columns", or --no-header), or put names above it.'
        )
    for line, cells in there:
        _add(found, line, cells, len(columns), name, limits)
    if not found.rows:
        raise InputError(
            f"{name} has only names of columns and no row below them. Add rows, one a topic."
        )
    return Table(
        columns=columns,
        rows=tuple(found.rows),
        notes=(*notes, *said, *_told(found, len(columns), ragged=ragged)),
    )


def _add(
    found: _Found, line: int, cells: Sequence[str], width: int, name: str, limits: Bounds
) -> None:
    if _blank(cells):
        found.blank.append(line)
        return
    if len(found.rows) >= limits.batch_rows:
        raise InputError(
            f"{name} has more than {limits.batch_rows:,} rows, and that is as many as one batch "
            "may have here (FANOUT_MAX_BATCH_ROWS). Split it into several files."
        )
    if len(cells) < width:
        found.short.append(line)
    elif len(cells) > width and not _blank(cells[width:]):
        found.long.append(line)
    kept = tuple(clean_words(cell) for cell in cells[:width])
    found.size += sum(map(_size, kept))
    if found.size > _TIMES * limits.upload_bytes:
        raise InputError(
            f"{name}, line {line:,}: up to here it holds more text than can be read at once. Split "
            "it into several files."
        )
    found.rows.append(TableRow(kept + ("",) * (width - len(kept)), line))


def _size(text: str) -> int:
    """Bytes in memory: one, two or four a character, as the widest of them needs."""
    return max(len(text), sys.getsizeof(text) - _EMPTY)


def _told(found: _Found, width: int, *, ragged: bool) -> list[str]:
    """What was mended, each in a sentence."""
    notes = []
    if found.blank:
        count = f"{len(found.blank):,} blank row{'s' if len(found.blank) > 1 else ''}"
        notes.append(f"Left out: {count} ({lines_named(found.blank)}).")
    columns = f"{width} column{'s' if width > 1 else ''}"
    if found.short and ragged:
        notes.append(
            f"Fewer cells than the {columns}: {lines_named(found.short)}. What is missing is "
            "taken as empty."
        )
    if found.long:
        notes.append(
            f"More cells than the {columns}: {lines_named(found.long)}. What is too much is left "
            "out; put quotation marks around a text that holds the separator."
        )
    return notes


def _unnamed(width: int) -> list[str]:
    return [TOPIC, *("" for _ in range(width - 1))]


def _without_end(cells: Sequence[str]) -> Sequence[str]:
    """Without the blank cells that spreadsheets leave behind a header; never empty."""
    last = max((place for place, cell in enumerate(cells) if cell.strip()), default=0)
    return cells[: last + 1]


def _blank(cells: Sequence[str]) -> bool:
    return not any(cell and not cell.isspace() for cell in cells)
