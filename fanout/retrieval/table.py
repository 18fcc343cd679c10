"""A CSV file as parts: one row each, every value under its column's name.

So a row can be understood without the header, which stands far above it in the file. Rows have the
numbers that a spreadsheet shows: the header is row 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import Part

_DELIMITERS = ",;\t|"


def csv_parts(name: str, text: str) -> Iterator[Part]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header: list[str] = []
    try:
        for number, row in enumerate(rows, start=1):
            cells = [" ".join(cell.split()) for cell in row]
            if not any(cells):
                continue
            if not header:
                header = cells
                continue
            yield Part(text=_line(header, cells), unit="row", name=str(number))
    except csv.Error as error:
        raise DocumentError(f"{name} can't be read as a table: {error}. Save it again.") from None


def header_line(text: str) -> str:
    """The first line that holds anything: all there is to read in a table without rows."""
    return next((line for line in text.splitlines() if line.strip()), "")


def _delimiter(text: str) -> str:
    return max(_DELIMITERS, key=header_line(text).count)


def _line(header: Sequence[str], cells: Sequence[str]) -> str:
    return "; ".join(
        f"{_column(header, index)}: {cell}" for index, cell in enumerate(cells) if cell
    )


def _column(header: Sequence[str], index: int) -> str:
    named = header[index] if index < len(header) else ""
    return named or f"column {index + 1}"
