"""The numbers and texts of a run as a workbook, with nothing in it that computes or links."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from fanout.export.plain_workbook import PlainWorkbook
from fanout.export.tables import (
    Cell,
    Table,
    Unit,
    attempts_table,
    branches_table,
    measures_table,
    run_table,
    texts_table,
    votes_table,
)
from fanout.export.tables_csv import inert
from fanout.render.sanitise import clean_text
from fanout.store.values import StoredRun

MOST_CHARACTERS = 32_767
"""Of a cell, counted in UTF-16 units."""
_PART = 32_000
_WIDTHS: dict[Unit, int] = {"text": 20, "long": 70, "count": 11, "seconds": 11, "usd": 13,
                            "share": 9, "number": 11}  # fmt: skip
_FORMATS: dict[Unit, str] = {"count": "#,##0", "seconds": "0.00", "usd": "$0.000000",
                             "share": "0%", "number": "0.00"}  # fmt: skip


def xlsx_export(run: StoredRun) -> bytes:
    """Sheets Branches, Attempts, Votes, Measures, Texts."""
    out = io.BytesIO()
    with PlainWorkbook(out) as book:
        snapshot = run.snapshot
        book.set_properties(
            {
                "title": _fit(snapshot.topic, 200),
                "comments": "Made by Fanout",
                "created": datetime.fromtimestamp(snapshot.started_at, UTC).replace(tzinfo=None),
            }
        )
        looks = _Looks(book)
        for table in (
            branches_table(snapshot),
            attempts_table(snapshot),
            votes_table(snapshot),
            _with_run(run, measures_table(snapshot)),
            _in_parts(texts_table(snapshot)),
        ):
            _sheet(book.add_worksheet(table.name), table, looks)
    return out.getvalue()


class _Looks:
    """The formats of a workbook's cells."""

    def __init__(self, book: PlainWorkbook) -> None:
        self.header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._text = {
            unit: book.add_format({"valign": "top", "text_wrap": unit == "long"})
            for unit in _WIDTHS
        }
        self._quoted = book.add_format({"valign": "top", "quote_prefix": True, "text_wrap": True})
        self._numbers = {
            unit: book.add_format({"valign": "top", "num_format": code})
            for unit, code in _FORMATS.items()
        }

    def of_text(self, text: str, unit: Unit) -> Format:
        """What begins as a formula does stays text even after somebody has edited the cell."""
        return self._quoted if inert(text) != text else self._text[unit]

    def of_number(self, unit: Unit) -> Format | None:
        return self._numbers.get(unit)


def _sheet(sheet: Worksheet, table: Table, looks: _Looks) -> None:
    for number, column in enumerate(table.columns):
        name = column.name.replace("_", " ")
        width = max(_WIDTHS[column.unit], min(len(name) + 2, 16))
        sheet.set_column(number, number, width)
        sheet.write_string(0, number, name[:1].upper() + name[1:], looks.header)
    for line, row in enumerate(table.rows, 1):
        for number, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write(sheet, (line, number), cell, column.unit, looks)
    sheet.freeze_panes(1, 2 if len(table.columns) > 4 else 0)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write(sheet: Worksheet, at: tuple[int, int], cell: Cell, unit: Unit, looks: _Looks) -> None:
    if isinstance(cell, str):
        text = _fit(cell, MOST_CHARACTERS)
        if text:
            sheet.write_string(*at, text, looks.of_text(text, unit))
    elif isinstance(cell, int | float | Decimal) and math.isfinite(cell):
        sheet.write_number(*at, float(cell), looks.of_number(unit))


def _with_run(run: StoredRun, measures: Table) -> Table:
    """The run's own numbers above the measures, so that they are on a sheet too."""
    facts = run_table(run)
    rows: list[tuple[Cell, ...]] = []
    for column, cell in zip(facts.columns, facts.rows[0], strict=True):
        number = None if isinstance(cell, str) else cell
        value = cell if isinstance(cell, str) else None
        rows.append((column.name.replace("_", " "), value, number, None, None, None))
    return replace(measures, rows=(*rows, *measures.rows))


def _in_parts(texts: Table) -> Table:
    """Texts that no cell can hold go on in the rows below."""
    return replace(texts, rows=tuple(row for text in texts.rows for row in _parts(text)))


def _parts(row: tuple[Cell, ...]) -> Iterator[tuple[Cell, ...]]:
    call, title, text = row
    whole = clean_text(str(text))
    step = _PART if whole.isascii() else _PART // 2
    pieces = [whole[at : at + step] for at in range(0, len(whole), step)] or [""]
    for number, piece in enumerate(pieces, 1):
        of = f" ({number} of {len(pieces)})" if len(pieces) > 1 else ""
        yield call, f"{title}{of}", piece


def _fit(text: str, limit: int) -> str:
    """The text without what XML can't hold, cut to so many UTF-16 units."""
    kept = clean_text(text).replace("\ufffe", "").replace("\uffff", "")
    if len(kept) * 2 > limit and len(kept.encode("utf-16-le")) > 2 * limit:
        kept = kept.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"
    return kept
