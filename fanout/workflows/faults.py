"""What pydantic finds wrong with a definition, as a person says it: the field, then the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_FAULTS = {
    "extra_forbidden": "is not a known field",
    "missing": "is missing",
    "string_too_short": "is empty",
    "too_short": "needs at least one entry",
    "string_pattern_mismatch": "may hold small letters, digits and single hyphens only",
    "string_too_long": "is too long",
    "string_type": "should be text",
}
"""pydantic's types of error as a person says them; others keep pydantic's words."""


def faults(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """The path of each bad field, and what is wrong there."""
    found = error.errors(include_url=False, include_input=False)
    return [
        (item["loc"], _said(item))
        for item in found
        # Entries that are wrong themselves aren't counted, and so seem to be missing as well.
        if item["type"] != "too_short" or not any(_inside(item["loc"], it["loc"]) for it in found)
    ]


def in_words(error: ValidationError) -> str:
    """All of them, as "title is missing; branch 2: temperature input should be ..."."""
    return "; ".join(f"{field_words(path)} {said}" for path, said in faults(error))


def field_words(path: tuple[str | int, ...]) -> str:
    """A place in a file, counted as people count: "branch 2: title"."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words = f"{words.removesuffix('es')} {part + 1}"
        else:
            words = f"{words}: {part}" if words else part
    return words or "the file"


def _inside(outer: tuple[str | int, ...], inner: tuple[str | int, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _said(item: ErrorDetails) -> str:
    if item["type"] == "too_long":
        return f"has more than {item['ctx']['max_length']} entries"
    return _FAULTS.get(item["type"], item["msg"].lower())
