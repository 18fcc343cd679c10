"""Rows as a workbook, written line by line, with nothing in it that computes or links.

A text that no cell can hold is begun in its cell and stands whole on a sheet of its own, in parts;
rows that no sheet can hold go on on the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO

from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from fanout.batches import Batch, RowRecord
from fanout.export.batch.csv_rows import escaped
from fanout.export.batch.fields import Cell, Field, Kind, cells, fields, iso, kept
from fanout.export.plain_workbook import PlainWorkbook

MOST_ROWS = 1_048_575
"""Of a sheet, its headings not counted."""
MOST_CHARACTERS = 32_767
"""Of a cell, counted in UTF-16 units."""
PART = 16_000
"""Characters: so many never take more units than a cell holds."""
LONG = "Long texts"
GOES_ON = f"… (whole on the sheet {LONG})"
_WIDTHS: dict[Kind, int] = {"text": 18, "long": 44, "count": 10, "seconds": 11, "usd": 12,
                            "share": 10, "number": 11, "flag": 8, "time": 25}  # fmt: skip
_FORMATS: dict[Kind, str] = {"seconds": "0.00", "usd": "$0.000000", "share": "0%",
                             "number": "0.00"}  # fmt: skip
_NO_XML = re.compile("[\ufffe\uffff]")


def write_xlsx(batch: Batch, rows: Iterable[RowRecord], target: IO[bytes]) -> int:
    """Sheets Rows, Columns, and Long texts where there are such; how many rows."""
    shown, number = fields(batch), 0
    with PlainWorkbook(target) as book:
        book.set_properties({"title": kept(batch.title)[:200], "comments": "Made by Fanout",
                             "created": datetime.now(UTC).replace(tzinfo=None)})  # fmt: skip
        sheets = _Sheets(book, shown)
        for number, record in enumerate(rows, 1):
            sheets.put(number, record)
        sheets.explain()
    return number


class _Long:
    """The sheet of texts that no cell can hold."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.line = 0

    def put(self, row: int, column: str, text: str) -> None:
        for part, at in enumerate(range(0, len(text), PART), 1):
            self.line += 1
            self.sheet.write_number(self.line, 0, row)
            self.sheet.write_string(self.line, 1, column)
            self.sheet.write_number(self.line, 2, part)
            self.sheet.write_string(self.line, 3, text[at : at + PART])


class _Sheets:
    """The sheets of a workbook while its rows come in."""

    def __init__(self, book: PlainWorkbook, shown: Sequence[Field]) -> None:
        self._book = book
        self._shown = tuple(shown)
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._quoted = book.add_format({"quote_prefix": True})
        self._formats = {kind: book.add_format({"num_format": f}) for kind, f in _FORMATS.items()}
        self._long: _Long | None = None
        self._sheet, self._line = self._new_sheet("Rows"), 0

    def put(self, number: int, record: RowRecord) -> None:
        if self._line >= MOST_ROWS:
            self._filter()
            self._sheet, self._line = self._new_sheet(f"Rows {number // MOST_ROWS + 1}"), 0
        self._line += 1
        for column, (one, cell) in enumerate(
            zip(self._shown, cells(self._shown, record), strict=True)
        ):
            self._write(column, one, cell, record.row.number)

    def explain(self) -> None:
        """The last sheet says what the columns mean."""
        self._filter()
        sheet = self._book.add_worksheet("Columns")
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 60)
        sheet.write_string(0, 0, "Column", self._head)
        sheet.write_string(0, 1, "Meaning", self._head)
        for line, one in enumerate(self._shown, 1):
            sheet.write_string(line, 0, one.name[:MOST_CHARACTERS], self._of_text(one.name))
            sheet.write_string(line, 1, one.about)

    def _write(self, column: int, one: Field, cell: Cell, row: int) -> None:
        if cell is None:
            return
        if one.kind == "time" and not isinstance(cell, str):
            cell = iso(float(cell))
        if isinstance(cell, bool):
            cell = "yes" if cell else "no"
        if isinstance(cell, int | float | Decimal):
            self._sheet.write_number(self._line, column, float(cell), self._formats.get(one.kind))
        elif cell:
            text = self._fitted(_in_xml(cell), one, row)
            self._sheet.write_string(self._line, column, text, self._of_text(text))

    def _fitted(self, text: str, one: Field, row: int) -> str:
        if len(text) <= PART or len(text.encode("utf-16-le")) <= 2 * MOST_CHARACTERS:
            return text
        if self._long is None:
            self._long = _Long(self._headed(LONG, ("Row", "Column", "Part", "Text")))
        self._long.put(row, one.name, text)
        return text[: PART - len(GOES_ON)] + GOES_ON

    def _of_text(self, text: str) -> Format | None:
        """What begins as a formula does stays text even after somebody has edited the cell."""
        return self._quoted if escaped(text) != text else None

    def _new_sheet(self, name: str) -> Worksheet:
        sheet = self._headed(name, [_in_xml(one.name)[:MOST_CHARACTERS] for one in self._shown])
        for column, one in enumerate(self._shown):
            sheet.set_column(column, column, _WIDTHS[one.kind])
        return sheet

    def _headed(self, name: str, heads: Sequence[str]) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self._head)
        sheet.freeze_panes(1, 0)
        return sheet

    def _filter(self) -> None:
        if self._line:
            self._sheet.autofilter(0, 0, self._line, len(self._shown) - 1)


def _in_xml(text: str) -> str:
    """As a cell can hold it, whose lines end in a line feed and nothing else."""
    return _NO_XML.sub("\ufffd", kept(text)).replace("\r\n", "\n").replace("\r", "\n")
