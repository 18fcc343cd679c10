"""CSV and its kin: which sign parts the cells is found out, and quotes gone wrong are told by line.

A quotation mark that is never closed would swallow the rest of a file as one cell. So reading is
strict, and no cell may be longer than any text that can be sent.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from fanout.batch.reading.gathering import Record
from fanout.batch.reading.table import is_usual
from fanout.errors import InputError

LONGEST_CELL = 1_000_000
"""Characters; far past any topic's bound, and soon reached where a quote was never closed."""
SEPARATORS = ",;\t|"
_NOWHERE = "\x1f"
"""Parts nothing: the separator of a table with one column."""
_SAMPLE = 200_000
_RECORDS = 100
_SAID = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
"""The first line that some spreadsheets write, which says it outright."""
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))


def records(text: TextIO, name: str, separator: str = "") -> Iterator[Record]:
    """Every record with the line where it begins; InputError, with the line, for a broken quote."""
    sample = text.read(_SAMPLE)
    head, sep, skipped = _head(sample)
    lines = _Joined(sample[skipped:], text)
    separator = separator or sep or _separator(head)
    spaced = f'{separator} "' in head
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=spaced, strict=True)
    begins = first = 2 if sep else 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                _broken(name, str(error), begins, first + reader.line_num - 1)
            ) from None
        yield begins, cells
        begins = first + reader.line_num


def _head(sample: str) -> tuple[str, str, int]:
    """What is looked at, the separator if it is said, and how much of the sample says it."""
    line = sample[: sample.find("\n") + 1] or sample
    if said := _SAID.match(line):
        return sample[len(line) :], said[1], len(line)
    return sample, "", 0


class _Joined:
    """The lines of a beginning that was read already and of what follows it."""

    def __init__(self, beginning: str, rest: TextIO) -> None:
        self._beginning = io.StringIO(beginning, newline="")
        self._rest = rest

    def __iter__(self) -> Iterator[str]:
        last = ""
        for line in self._beginning:
            yield from (last,) if last else ()
            last = line
        # The beginning may end within a line, or between the two signs that end one.
        following = self._rest.readline()
        if last.endswith(("\n", "\r")) and following != "\n":
            yield last
            last = ""
        if last or following:
            yield last + following
        # Not `yield from`, which would close a file that isn't ours where reading ends early.
        for line in self._rest:
            yield line


def _separator(sample: str) -> str:
    """The sign that parts the most records as the first one is parted.

    A list of sentences has commas too: unless the first record holds a usual name of a column, more
    than half of all have to be parted as it is.
    """
    best, fit = _NOWHERE, 0.0
    for one in SEPARATORS:
        found = _parted(sample, one)
        widths = [len(cells) for cells in found]
        if not widths or widths[0] < 2:
            continue
        share = sum(width == widths[0] for width in widths) / len(widths)
        if share <= 0.5 and not any(map(is_usual, found[0])):
            continue
        # Between signs that part all records alike, the one that parts more often is meant.
        if (score := share + min(widths[0], 50) / 1000) > fit:
            best, fit = one, score
    return best


def _parted(sample: str, separator: str) -> list[list[str]]:
    """The first records as that sign would part them."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        found = [cells for cells in islice(reader, _RECORDS) if any(map(str.strip, cells))]
    except csv.Error:
        return []
    # The last record of a sample is rarely whole.
    return found[:-1] if len(found) > 2 and len(sample) >= _SAMPLE else found


def _broken(name: str, error: str, begins: int, line: int) -> str:
    """What is wrong with the quotes of a record, and what to do."""
    if "expected after" in error:
        return (
            f"{name}, line {line:,}: a quotation mark stands within a quoted text. Write it twice "
            'there (""), or save the table again from its program.'
        )
    if "unexpected end" in error or "field limit" in error:
        return (
            f"{name}, line {begins:,}: a quotation mark is opened in this row and not closed, so "
            f'everything below would be one text. Close it, or write it twice ("") if it belongs '
            "to the text."
        )
    return f"{name}, line {line:,}: it can't be read as a table: {error}. Save it again as CSV."


def tabbed(text: str) -> bool:
    """Whether pasted lines are a table from a spreadsheet: a tab between cells, as many in each."""
    widths = [len(cells) for cells in _parted(text, "\t")]
    return len(widths) > 1 and widths[0] > 1 and len(set(widths)) == 1
