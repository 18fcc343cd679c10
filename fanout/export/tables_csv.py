"""The numbers of a run as one CSV file, safe to open in a spreadsheet.

All tables stand in one, told apart by the first column, "table": one header, so that any reader of
CSV takes it. Texts that a spreadsheet would take for a formula get an apostrophe in front; numbers
stay numbers.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from decimal import Decimal

from fanout.export.tables import Cell, Table, tables
from fanout.render.sanitise import clean_text
from fanout.store.values import StoredRun

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""
_FORMULA = tuple("=+-@＝＋－＠\t\r\n|%")  # noqa: RUF001
_DECIMALS = 6


def csv_export(run: StoredRun) -> str:
    """By RFC 4180, with a byte order mark; write it as UTF-8."""
    return BYTE_ORDER_MARK + joined(tables(run))


def joined(parts: Iterable[Table]) -> str:
    """Several tables under one header, without the byte order mark."""
    parts = tuple(parts)
    names = list(dict.fromkeys(column.name for part in parts for column in part.columns))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["table", *names])
    for part in parts:
        for row in part.rows:
            values = {c.name: cell for c, cell in zip(part.columns, row, strict=True)}
            writer.writerow([part.name, *(written(values.get(name)) for name in names)])
    return out.getvalue()


def written(cell: Cell) -> str:
    """A cell as CSV has it."""
    match cell:
        case None:
            return ""
        case str():
            return inert(clean_text(cell))
        case Decimal():
            return f"{cell.normalize():f}" if cell.is_finite() else ""
        case float():
            return _number(cell)
        case int():
            return str(cell)


def inert(text: str) -> str:
    """The text so that no spreadsheet computes it."""
    return f"'{text}" if text.lstrip(" \u3000\xa0").startswith(_FORMULA) else text


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".") or "0"
