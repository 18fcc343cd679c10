"""What every reader hands on: one text, and the pages, rows or headings that it came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["txt", "md", "html", "csv", "pdf", "docx"]
Unit = Literal["page", "row", "section", ""]

MOST_CHARACTERS = 5_000_000
"""Of one document's text: about 2,500 full pages."""
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")
_NEWLINES = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A page, a row, or what stands under one heading."""

    text: str
    unit: Unit = ""
    name: str = ""
    """The page's or row's number, or the heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Where a part stands in the extracted text."""

    start: int
    end: int
    unit: Unit
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    text: str
    kind: Kind
    sections: tuple[Section, ...]
    pages: int | None = None
    note: str = ""
    """What a person should know: an encoding that was assumed, pages without text, a cut."""


def clean(text: str) -> str:
    """The same text composed (NFC), with plain newlines and nothing that a database refuses."""
    return unicodedata.normalize("NFC", _NOT_TEXT.sub("", _NEWLINES.sub("\n", text)))


def assemble(parts: Iterable[Part], kind: Kind, *, pages: int | None, note: str) -> Extracted:
    """The parts in their order as one text, cut with a note at MOST_CHARACTERS."""
    pieces: list[str] = []
    sections: list[Section] = []
    length = 0
    notes = [note] if note else []
    for part in parts:
        text = clean(part.text).strip()
        if not text:
            continue
        gap = ("\n" if part.unit == "row" else "\n\n") if pieces else ""
        room = MOST_CHARACTERS - length - len(gap)
        if len(text) > room:
            notes.append(f"Only its first {MOST_CHARACTERS:,} characters were read.")
            text = text[: max(room, 0)].rstrip()
        if text:
            start = length + len(gap)
            length = start + len(text)
            pieces += (gap, text)
            name = " ".join(clean(part.name).split())
            sections.append(Section(start=start, end=length, unit=part.unit, name=name))
        if len(text) >= room:
            break
    return Extracted(
        text="".join(pieces),
        kind=kind,
        sections=tuple(sections),
        pages=pages,
        note=" ".join(notes),
    )
