"""A text that holds several answers under headings, taken apart by the titles that it was given.

Models write a heading in many ways: "## Joke", "**Joke**", "Joke:", "**Joke:** Why did".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_BEFORE = re.compile(r"\s*(?:#{1,6}\s*)?(?:[*_]{2})?\s*")
_LABELLED = re.compile(r"\s{0,3}([*_]{2})(.{1,200}?):?\s{0,3}\1\s{0,3}:?\s{1,3}(?=\S)")
_MARKS = ("**", "__", "*_", "_*")


def titled_parts(text: str, titles: Iterable[str]) -> dict[str, str]:
    """The parts of a text by the titles that stand above them.

    A title that isn't there, or has nothing under it, is missing.
    """
    known = {_folded(title): title for title in titles}
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.splitlines():
        title, rest = _heading(line, known)
        if title is not None:
            lines = found.setdefault(title, [])
            line = rest
        if lines is not None:
            lines.append(line)
    parts = {title: "\n".join(held).strip() for title, held in found.items()}
    return {title: part for title, part in parts.items() if part}


def _heading(line: str, known: Mapping[str, str]) -> tuple[str | None, str]:
    """The title that a line is the heading of, and what follows it: "## Joke", "**Joke:** Why"."""
    if title := known.get(_folded(_bare(line))):
        return title, ""
    labelled = _LABELLED.match(line)
    if labelled and (title := known.get(_folded(labelled[2]))):
        return title, line[labelled.end() :].rstrip("\n")
    return None, line


def _bare(line: str) -> str:
    """Without what may stand around a heading. One expression for it takes long on many spaces."""
    before = _BEFORE.match(line)
    text = line[before.end() if before else 0 :].rstrip().rstrip("#").rstrip()
    if text.endswith(_MARKS):
        text = text[:-2]
    return text.rstrip(":*_ \t")


def _folded(title: str) -> str:
    return " ".join(title.split()).casefold()
