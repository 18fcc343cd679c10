"""The process that opens a workbook: `python -m fanout.batch.reading.workbook_process SHEET`.

It reads the workbook from its standard input, a real file, and writes a line of JSON for what there
is to choose from, one for each row that holds anything, and one when it is through.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice, zip_longest
from typing import IO, Any

import openpyxl  # type: ignore[import-untyped]
from openpyxl.worksheet._read_only import (  # type: ignore[import-untyped]
    ReadOnlyWorksheet,
)

MOST_MEMORY = 2_000_000_000
LONGEST_S = 125
MOST_ROWS = 1_048_576
"""That a sheet can have; one that names a later row would have us count up to it."""
_MOST_CELLS = 400
"""Of a row; far more than may be read, so that somebody says so."""


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    logging.disable()
    warnings.simplefilter("ignore")
    _limit()
    try:
        _read(sys.stdin.buffer, wanted)
    except BrokenPipeError:
        sys.stderr.close()
    except MemoryError:
        _say({"problem": " needs too much memory. Save the sheet as CSV UTF-8 and choose that."})
    # openpyxl meets damage with KeyError, ValueError, the XML parser's errors and more.
    except Exception:
        _say(
            {
                "problem": " is damaged: it isn't the workbook that it claims to be. Open it in "
                "its program and save it again."
            }
        )


def _read(file: IO[bytes], wanted: str) -> None:
    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    sheets = [one for one in book.worksheets if isinstance(one, ReadOnlyWorksheet)]
    names = [one.title for one in sheets]
    if wanted and wanted not in names:
        offer = ", ".join(f'"{name}"' for name in names[:20])
        _say({"problem": f' has no sheet "{wanted[:80]}". It has {offer}.'})
        return
    chosen = _chosen(sheets, wanted)
    if chosen is None:
        _say({"problem": " holds no rows. Was it saved before it was chosen?"})
        return
    _say({"sheets": names, "sheet": chosen.title})
    errors = Counter[str]()
    for number, cells in _rows(chosen, errors):
        _write([number, *map(_text, cells)])
    bare = _bare(file, chosen.title) if _has_formulas(book, chosen) else 0
    often = errors.most_common(1)
    _say({"bare": bare, "errors": errors.total(), "error": often[0][0][:20] if often else ""})


def _chosen(sheets: list[ReadOnlyWorksheet], wanted: str) -> ReadOnlyWorksheet | None:
    if wanted:
        return next(one for one in sheets if one.title == wanted)
    seen = [one for one in sheets if one.sheet_state == "visible"] or sheets
    return next((one for one in seen if next(_rows(one, Counter()), None) is not None), None)


def _rows(sheet: ReadOnlyWorksheet, errors: Counter[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows that hold anything, by their number; a sheet's own word on its size is not believed.

    A cell with an error in place of a value, such as #DIV/0!, holds nothing and is counted.
    """
    sheet.reset_dimensions()
    for number, cells in enumerate(islice(sheet.iter_rows(), MOST_ROWS), 1):
        wrong = [str(cell.value) for cell in cells if cell.data_type == "e"]
        errors.update(wrong)
        kept = _without_end(tuple(None if one.data_type == "e" else one.value for one in cells))
        if kept:
            yield number, kept[:_MOST_CELLS]


def _without_end(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    last = len(cells)
    while last and cells[last - 1] is None:
        last -= 1
    return cells[:last]


def _has_formulas(book: openpyxl.Workbook, sheet: ReadOnlyWorksheet) -> bool:
    with book._archive.open(sheet._worksheet_path) as source:
        end = b""
        while portion := source.read(1 << 20):
            if b"<f>" in end + portion or b"<f " in end + portion:
                return True
            end = portion[-2:]
    return False


def _bare(file: IO[bytes], title: str) -> int:
    """How many formulas have no result: nothing has worked them out since they were written."""
    file.seek(0)
    plain = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    written = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
    count = 0
    for row, said in zip_longest(
        written[title].iter_rows(), plain[title].iter_rows(values_only=True), fillvalue=()
    ):
        count += sum(
            cell.data_type == "f" and result is None
            for cell, result in zip(row, said, strict=False)
        )
    return count


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
        case date() | time() | timedelta():
            return str(value)
        case _:
            return str(value)


def _limit() -> None:
    """Memory, and processor time for when the app died and nobody holds the deadline."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _write(row: list[object]) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
