"""Citations of an answer made to hold: those that point nowhere go, missing ones are added.

Models forget citations, small ones nearly always. Where a sentence names none and a passage holds
it, the passage's number is put behind it; where none does, it stays bare, and the screen marks it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fanout.insight.provenance import provenance
from fanout.retrieval.passages import Fused
from fanout.types import BranchId

MOST_PER_SENTENCE = 2
_CITATION = re.compile(r"(?:(?<![ \t])[ \t]+)?\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
"""There `a[1]` is no citation."""
_EITHER = re.compile(f"{_CODE.pattern}|{_CITATION.pattern}", re.DOTALL)


def with_citations(answer: str, passages: Sequence[Fused], question: str = "") -> str:
    """The answer with every citation pointing at one of the passages, the first being [1]."""
    valid = _EITHER.sub(lambda found: _existing(found, len(passages)), answer)
    prose = _CODE.sub(_blank, valid)
    sources = {BranchId(str(n)): one.passage.text for n, one in enumerate(passages, 1)}
    found = provenance(_CITATION.sub(_blank, valid), sources, given=question)
    text = valid
    for sentence in reversed(found.sentences):
        following = _CITATION.match(prose, sentence.end)
        cited = following or _CITATION.search(prose, sentence.start, sentence.end)
        if cited or not sentence.supported:
            continue
        names = "".join(f"[{support.branch}]" for support in sentence.supports[:MOST_PER_SENTENCE])
        if names:
            # Before the full stop, as people write it.
            at = sentence.end - (valid[sentence.end - 1] in ".!?")
            text = f"{text[:at].rstrip()} {names}{text[at:]}"
    return text


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _existing(found: re.Match[str], passages: int) -> str:
    if found[1] is None:
        return found[0]
    numbers = [int(number) for number in found[1].split(",")]
    kept = "".join(f"[{number}]" for number in numbers if 1 <= number <= passages)
    space = found[0][: len(found[0]) - len(found[0].lstrip())]
    return f"{space}{kept}" if kept else ""
