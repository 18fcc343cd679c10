"""Rows as CSV, safe to open in a spreadsheet and with nothing lost when it is read back.

A text that a spreadsheet would compute gets an apostrophe in front, and so does one that is an
apostrophe in front of such a text: who reads it back takes one apostrophe off what would then be
computed, see `as_it_was`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import IO

from fanout.batches import Batch, RowRecord
from fanout.export.batch.fields import Cell, Field, cells, fields, iso
from fanout.export.tables_csv import BYTE_ORDER_MARK, inert, written

_FLUSH = 64_000


def write_csv(batch: Batch, rows: Iterable[RowRecord], target: IO[bytes]) -> int:
    """By RFC 4180 in UTF-8, with a byte order mark; how many rows."""
    shown, number = fields(batch), 0
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([escaped(one.name) for one in shown])
    for record in rows:
        number += 1
        writer.writerow(map(_written, shown, cells(shown, record)))
        if out.tell() > _FLUSH:
            _flush(out, target)
    _flush(out, target)
    return number


def escaped(text: str) -> str:
    """The text so that no spreadsheet computes it, and nobody takes it for another."""
    return f"'{text}" if inert(text.lstrip("'")) != text.lstrip("'") else text


def as_it_was(cell: str) -> str:
    """What `escaped` was given."""
    return cell[1:] if cell.startswith("'") and escaped(cell[1:]) == cell else cell


def _written(one: Field, cell: Cell) -> str:
    match cell:
        case str():
            return escaped(cell)
        case bool():
            return "yes" if cell else "no"
        case float() if one.kind == "time":
            return iso(cell)
        case _:
            return written(cell)


def _flush(out: io.StringIO, target: IO[bytes]) -> None:
    target.write(out.getvalue().encode("utf-8"))
    out.seek(0)
    out.truncate()
