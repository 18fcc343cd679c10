"""A table of texts as it was read: columns that can be told apart, rows with their line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from fanout.errors import InputError
from fanout.workflows.topic import clean_words

MOST_COLUMNS = 200
MOST_LINES_NAMED = 5
TOPIC = "topic"
"""What the column of a list without a header is called."""
TOPIC_NAMES = (
    "topic", "topics", "question", "questions", "text", "texts", "prompt", "prompts", "title",
    "subject", "query", "input", "content", "thema", "frage", "item", "name",
)  # fmt: skip
"""Columns that usually hold what is asked about; the first of them that is there is taken."""
_LONGEST_COLUMN = 80
_LONGEST_NAME = 80


class TableRow(NamedTuple):
    cells: tuple[str, ...]
    """One per column, "" where there is nothing."""
    line: int | None = None
    """Where it begins in its file, or which row of the sheet it is, from 1; None: it was pasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    columns: tuple[str, ...]
    """Their names: none blank, none twice, at least one."""
    rows: tuple[TableRow, ...]
    """At least one; wholly blank ones are left out."""
    notes: tuple[str, ...] = ()
    """What had to be guessed or mended, in sentences."""
    sheets: tuple[str, ...] = ()
    """Of a workbook: what there is to choose from."""
    sheet: str = ""
    """The one that was read."""
    doubt: str = ""
    """Why nothing may be asked before somebody has seen the texts, and the way out of that; "":
    they are what they were."""


def shown_name(name: str) -> str:
    """A file's name without folders and signs that can't be seen, short enough for a line."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(sign for sign in last if sign.isprintable()).strip() or "The file"
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[: _LONGEST_NAME - 1]}…"


def named(header: Sequence[str], name: str) -> tuple[tuple[str, ...], list[str]]:
    """Column names that can be told apart, and what was done for that."""
    if len(header) > MOST_COLUMNS:
        raise InputError(
            f"{name} has {len(header):,} columns; at most {MOST_COLUMNS} can be read. Keep those "
            "that the prompts need, and save it again."
        )
    columns: list[str] = []
    blank: list[str] = []
    twice: list[str] = []
    # A blank column may not take the name of one that stands further right.
    taken = {_column(one) for one in header}
    for number, said in enumerate(header, 1):
        wanted = _column(said)
        if not wanted:
            wanted = _free(f"column {number}", taken)
            blank.append(wanted)
        elif wanted in columns:
            twice.append(wanted)
            wanted = _free(wanted, taken)
        taken.add(wanted)
        columns.append(wanted)
    notes = []
    if blank:
        notes.append(f"Columns without a name are called {_listed(blank)}.")
    if twice:
        notes.append(f"Several columns are called {_listed(twice)}: the later ones have a number.")
    return tuple(columns), notes


def lines_named(lines: Sequence[int]) -> str:
    """ "line 3", or "lines 3, 8 and 12 and 40 more"."""
    shown = [f"{line:,}" for line in lines[:MOST_LINES_NAMED]]
    more = len(lines) - len(shown)
    if len(shown) == 1 and not more:
        return f"line {shown[0]}"
    if more:
        return f"lines {', '.join(shown)} and {more:,} more"
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"


def is_usual(cell: str) -> bool:
    """Whether it names a column rather than being what is asked about."""
    return cell.strip().casefold() in TOPIC_NAMES


def _column(text: str) -> str:
    return " ".join(clean_words(text).split())[:_LONGEST_COLUMN].strip()


def _free(wanted: str, taken: set[str]) -> str:
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted} ({number})" in taken:
        number += 1
    return f"{wanted} ({number})"


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    shown = ", ".join(f'"{name}"' for name in unique[:MOST_LINES_NAMED])
    more = len(unique) - MOST_LINES_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
