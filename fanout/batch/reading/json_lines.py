"""JSONL: an object a line, whose names are the columns, or a text a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

from fanout.batch.reading.gathering import Record
from fanout.batch.reading.table import MOST_COLUMNS, TOPIC
from fanout.errors import InputError

_WORDS = 120
"""Characters of the parser's own words that are repeated."""


def records(text: TextIO, name: str, most: int) -> Iterator[Record]:
    """The names of all objects first, then a record for each line that isn't blank.

    The lines are gone through twice: a name may turn up first in the last of them. No more than
    `most` lines are read for that. InputError, with the line, for one that is neither object nor
    text.
    """
    columns: dict[str, None] = {}
    for found, (line, value) in enumerate(_values(text, name)):
        if found > most:
            break
        columns.update(dict.fromkeys(value))
        if len(columns) > MOST_COLUMNS:
            raise InputError(
                f"{name}, line {line:,}: up to here its objects have more than {MOST_COLUMNS} "
                "different names. Keep those that the prompts need."
            )
    text.seek(0)
    yield 0, tuple(columns)
    for line, value in _values(text, name):
        yield line, tuple(value.get(column, "") for column in columns)


def looks_like_it(line: str) -> bool:
    """Whether the first line of a file is an object of its own."""
    if not line.lstrip("\ufeff \t").startswith("{"):
        return False
    try:
        return isinstance(json.loads(line.lstrip("\ufeff")), dict)
    except (ValueError, RecursionError):
        return False


def _values(text: TextIO, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text, 1):
        if line.strip():
            yield number, _cells(line, number, name)


def _cells(line: str, number: int, name: str) -> dict[str, str]:
    try:
        value = json.loads(line)
    except RecursionError:
        raise InputError(
            f"{name}, line {number:,}: it is nested too deeply. Keep the texts that the prompts "
            "need."
        ) from None
    except ValueError as error:
        raise InputError(
            f"{name}, line {number:,}: it is not JSON: {_wrong(error)}. Each line holds one "
            'object, such as {"topic": "remote work"}.'
        ) from None
    if isinstance(value, str):
        return {TOPIC: value}
    if isinstance(value, dict):
        return {str(key): _text(held) for key, held in value.items()}
    raise InputError(
        f"{name}, line {number:,}: it is neither an object nor a text. Each line holds one object, "
        'such as {"topic": "remote work"}.'
    )


def _wrong(error: ValueError) -> str:
    """The parser's words. It was given one line, so "line 1" is not the file's."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:_WORDS]}, at character {error.colno:,}"
    return str(error)[:_WORDS]


def _text(value: object) -> str:
    """Texts as they are; everything else as JSON writes it, and nothing for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
