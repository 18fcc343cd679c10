"""An extracted text cut into passages that can be found, read alone, and cited.

Where to cut inside a section is semchunk's decision (paragraphs, then sentences, then clauses);
what must not be cut across is ours: pages, headings and table rows, because a citation names them.
A passage that goes on from another one inside its section repeats that one's last sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from semchunk.semchunk import chunk

from fanout.retrieval.extracted import Extracted, Section
from fanout.retrieval.query import UNSPACED

MOST_WORDS = 150
FEW_WORDS = 25
"""A section below this shares a passage with the next one, unless a page ends there."""
OVERLAP_WORDS = 30
_WORD = re.compile(rf"[{UNSPACED}]{{1,2}}|[^\s{UNSPACED}]{{1,20}}")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s+|[。！？]\s*|\n\s*")  # noqa: RUF001 - they end sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A passage before it has a document: where it stands, and what a person calls that place."""

    start: int
    end: int
    place: str
    heading: str


def word_count(text: str) -> int:
    """Words; where a script writes without spaces, two characters count as one."""
    return sum(1 for _ in _WORD.finditer(text))


def split(extracted: Extracted) -> tuple[Span, ...]:
    """Passages in the order of the text; each is extracted.text[start:end] to the letter."""
    text = extracted.text
    spans: list[Span] = []
    for group in _groups(text, extracted.sections):
        heading = group[0].name if group[0].unit == "section" else ""
        spans += [
            Span(start=start, end=end, place=_place(group, start, end), heading=heading)
            for start, end in _cuts(text, group[0].start, group[-1].end)
        ]
    return tuple(spans)


def _groups(text: str, sections: Sequence[Section]) -> Iterator[list[Section]]:
    """Sections that share their passages: rows up to a passage's size, short sections."""
    group: list[Section] = []
    words = 0
    for section in sections:
        count = word_count(text[section.start : section.end])
        if group and not (section.unit == group[-1].unit and _joins(section, words, count)):
            yield group
            group, words = [], 0
        group.append(section)
        words += count
    if group:
        yield group


def _joins(section: Section, words: int, count: int) -> bool:
    match section.unit:
        case "row":
            return words + count <= MOST_WORDS
        case "page":
            return False
        case _:
            return words < FEW_WORDS and words + count <= MOST_WORDS


def _cuts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    body = text[start:end]
    if word_count(body) <= MOST_WORDS:
        return [(start, end)]
    size = MOST_WORDS - OVERLAP_WORDS
    found = chunk(body, size, word_count, memoize=False, offsets=True)
    cuts: list[tuple[int, int]] = []
    for begin, finish in cast("tuple[list[str], list[tuple[int, int]]]", found)[1]:
        first = start + _with_overlap(body, begin)
        # What is repeated as a whole needs no passage of its own.
        while cuts and cuts[-1][0] >= first:
            cuts.pop()
        cuts.append((first, start + finish))
    return cuts


def _with_overlap(body: str, begin: int) -> int:
    """The start of the sentences just before, as many as OVERLAP_WORDS hold."""
    window = max(0, begin - OVERLAP_WORDS * 12)
    ends = [match.end() + window for match in _SENTENCE_END.finditer(body[window:begin])]
    starts = [*([0] if window == 0 else []), *ends]
    fitting = (s for s in starts if s < begin and word_count(body[s:begin]) <= OVERLAP_WORDS)
    return next(fitting, begin)


def _place(group: Sequence[Section], start: int, end: int) -> str:
    inside = [s for s in group if s.start < end and s.end > start]
    first, last = inside[0], inside[-1]
    match first.unit:
        case "row" if first is not last:
            return f"rows {first.name}-{last.name}"
        case "row" | "page":
            return f"{first.unit} {first.name}"
        case "section" if first.name:
            return f"section: {first.name}"
        case _:
            return ""
