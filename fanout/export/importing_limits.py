"""How much an imported file may hold, and its reading as JSON within those limits.

A file is looked at in its cheapest form first: its size, then how many values it can hold, then
its JSON, then its shape. So nothing that is refused has cost much, whatever was in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from fanout.errors import InputError

MOST_BYTES = 64_000_000
"""Of one file. A long run of ten branches has about 1 MB."""
MOST_VALUES = 4_000_000
"""Commas and opening brackets in the file, those in texts counted too: each may become a value,
and a value takes many times the memory that it takes in the file."""
MOST_TEXT_EVENTS = 150_000
"""Pieces of text in a timeline; an export joins pieces until it keeps to this."""
MOST_OTHER_EVENTS = 20_000
MOST_CALLS = 400
"""Branches, combining calls and those that prepare them; a workflow has at most 50 branches."""
LONGEST_TEXT = 2_000_000
"""Characters of any one text, and of all that one call wrote."""
DEEPEST = 60
"""Objects and lists inside each other."""
LONGEST_NUMBER = 40
"""Characters that a number is written with."""

AGAIN = "Export the run again on the machine that it comes from."


def refused(what: str, where: str = "", do: str = AGAIN) -> InputError:
    """An error that says what is wrong, at which place of the file, and what to do."""
    place = f" at {where}" if where else ""
    return InputError(f"This file can't be imported{place}: {what.rstrip('. ')}. {do}")


def parsed(data: bytes) -> Mapping[str, object]:
    """The file's JSON object; InputError where it is none, or holds more than the limits."""
    if len(data) > MOST_BYTES:
        raise refused(
            f"it has {len(data) / 1e6:,.0f} MB, and at most {MOST_BYTES / 1e6:.0f} MB are read",
            do="Choose the JSON export of a single run.",
        )
    if not data.strip():
        raise refused("it is empty")
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise refused(f"it holds more than {MOST_VALUES:,} values, which no export does")
    value = _json(data)
    if not isinstance(value, dict):
        raise refused("it is JSON, but no run", do=_CHOOSE)
    _within_limits(value)
    return value


_CHOOSE = "Choose a file that was made by Export, JSON."


def _json(data: bytes) -> object:
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        raise refused("it is no text in UTF-8", do=_CHOOSE) from None
    try:
        value: object = json.loads(
            text, parse_int=_whole, parse_float=_number, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise refused(f"it is no complete JSON ({error.msg})", place) from None
    except RecursionError:
        raise refused(f"it is nested more than {DEEPEST} levels deep") from None
    return value


def _whole(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else _no_number(digits)


def _number(digits: str) -> float:
    value = float(digits) if len(digits) <= LONGEST_NUMBER else math.inf
    return value if math.isfinite(value) else _no_number(digits)


def _no_number(said: str) -> NoReturn:
    shown = said if len(said) <= 20 else f"{said[:20]}…"
    raise refused(f"{shown} is no number that a run can have")


def _within_limits(value: object) -> None:
    """Without recursion, so that no nesting can exhaust the stack."""
    level = [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
                inner += each
            elif isinstance(each, list):
                inner += each
            elif isinstance(each, str) and len(each) > LONGEST_TEXT:
                raise refused(f"a text in it has more than {LONGEST_TEXT:,} characters")
        level = inner
        if not level:
            return
    raise refused(f"it is nested more than {DEEPEST} levels deep")
