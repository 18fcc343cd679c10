"""Markdown in sentences, each with its plain text and its place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fanout.insight.plain_text import Block, Kind, blocks

_CLOSING = "[\"'”’»\u203a)\\]」』\uff09】》]*"
_END = re.compile(rf"(?:[.!?…]+|(?P<tight>[。\uff01\uff1f｡।]+)){_CLOSING}")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘]+$")
_OPENING = "\"'“‘«\u2039([「『\uff08【《"
_DOTTED = re.compile(r"(?:\w\.)+\w$")
_ABBREVIATIONS = """
    mr mrs ms dr prof st vs fig figs no nos vol ed eds cf al approx resp incl gen sen rep gov
    capt col lt sgt mt ave e.g i.e z.b d.h u.a nr bzw evtl ggf sog abb mme mlle"""
_NEVER_LAST = frozenset(_ABBREVIATIONS.split())
"""Before a capital letter these still don't end a sentence; "etc.", "Inc." and "p.m." may."""
_MAY_BE_LAST = frozenset({"a.m", "p.m"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    text: str
    """As a reader sees it, without Markdown's marks."""
    start: int
    """Where its first visible character stands in the source."""
    end: int
    """Behind its last visible character."""
    kind: Kind


def sentences(markdown: str) -> tuple[Sentence, ...]:
    """Every sentence in order; code and table cells come whole. Pieces without a word are left out.

    They never overlap, and between them every letter and digit that a reader sees is there.
    """
    return tuple(found for block in blocks(markdown) for found in _in_block(block))


def _in_block(block: Block) -> Iterator[Sentence]:
    whole = block.kind in ("code", "cell")
    edges = [0, *(() if whole else _ends(block.text)), len(block.text)]
    for begin, end in pairwise(edges):
        text = block.text[begin:end]
        begin += len(text) - len(text.lstrip())
        text = text.strip()
        if any(character.isalnum() for character in text):
            start, stop = block.source(begin, begin + len(text))
            yield Sentence(text=text, start=start, end=stop, kind=block.kind)


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        after = text[match.end() :][:12].lstrip()
        if not after:
            return
        goes_on = not text[match.end()].isspace() or after.lstrip(_OPENING)[:1].islower()
        shortened = match[0] == "." and _shortened(text[: match.start()])
        if match["tight"] or not (goes_on or shortened):
            yield match.end()


def _shortened(before: str) -> bool:
    """Whether the full stop that follows belongs to an abbreviation or an initial."""
    found = _LAST_WORD.search(before, max(0, len(before) - 16))
    if not found:
        return False
    word = found[0]
    if word.lower() in _NEVER_LAST:
        return True
    if word.lower() in _MAY_BE_LAST:
        return False
    initial = len(word) == 1 and word.isupper() and word != "I" and word.isascii()
    return initial or bool(_DOTTED.match(word))
