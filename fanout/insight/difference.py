"""What changed from one text to another, word by word: same, added, removed, and moved elsewhere.

Words are matched by a longest common subsequence, in a fraction of a second for two texts of 20,000
words whatever they say. A few words that two rewritten passages happen to share are then taken for
rewritten too: a reader sees passages, not confetti.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from fanout.insight.subsequence import longest_common

Kind = Literal["same", "added", "removed"]

TELLING_WORDS = 4
"""So many shared words in a row are no accident: they stay the same, or were moved."""
TELLING_CHARACTERS = 12
_CANDIDATES = 8
_SLIDE = 40
_ENDS = frozenset(".!?\u3002\uff01\uff1f")

_THAI = "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"
_UNSPACED = _THAI + "\u3040-\u3098\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003fffd"
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u3099\u309a\ufe00-\ufe0f"
_SIGNS = r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3000-\u303f\uff00-\uff0f"
_LETTERS = rf"[^\s{_SIGNS}{_UNSPACED}]+"
_UNIT = re.compile(rf"([{_UNSPACED}][{_MARKS}]*|{_LETTERS}(?:['’]{_LETTERS})*|\S)(\s*)")
_BLANK = re.compile(r"\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of text that has one fate."""

    kind: Kind
    text: str
    moved: int | None = None
    """Number of the move that it is one end of: the same words stand elsewhere in the other text.
    None for what is the same, and for what is in one text only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Same and removed runs joined are the first text; same and added ones are the second."""

    runs: tuple[Run, ...]
    similarity: float
    """The share of both texts' words that stand in the other, in the same order: 0 to 1."""
    added: int
    """Words, or characters in scripts without spaces, that only the second text has."""
    removed: int
    moved: int
    """Words that stand in both, in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    word: str
    space: str
    """What follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """So many equal words, at `a` in the first text and at `b` in the second."""

    a: int
    b: int
    size: int


def difference(before: str, after: str) -> Difference:
    """How `after` differs from `before`; whatever they hold, joining the runs gives them back."""
    lead_a, a = _units(before)
    lead_b, b = _units(after)
    blocks = _at_sentences(_telling(_blocks(a, b), a, b), a, b)
    moved_a, moved_b = _moves(a, b, blocks)
    drawn = _Drawn()
    drawn.either(lead_a, lead_b)
    at_a = at_b = 0
    for block in blocks:
        for i in range(at_a, block.a):
            drawn.put("removed", a[i].word + a[i].space, moved_a.get(i))
        for j in range(at_b, block.b):
            drawn.put("added", b[j].word + b[j].space, moved_b.get(j))
        for step in range(block.size):
            drawn.put("same", a[block.a + step].word)
            drawn.either(a[block.a + step].space, b[block.b + step].space)
        at_a, at_b = block.a + block.size, block.b + block.size
    same = sum(block.size for block in blocks)
    words = len(a) + len(b)
    return Difference(
        runs=tuple(drawn.runs()),
        similarity=2 * same / words if words else float(before == after),
        added=len(b) - same - len(moved_b),
        removed=len(a) - same - len(moved_a),
        moved=len(moved_a),
    )


class _Drawn:
    """Runs as they come; neighbours of one fate become one."""

    def __init__(self) -> None:
        self._runs: list[tuple[Kind, int | None, list[str]]] = []

    def put(self, kind: Kind, text: str, moved: int | None = None) -> None:
        if not text:
            return
        if self._runs and self._runs[-1][:2] == (kind, moved):
            self._runs[-1][2].append(text)
        else:
            self._runs.append((kind, moved, [text]))

    def either(self, before: str, after: str) -> None:
        if before == after:
            self.put("same", before)
            return
        self.put("removed", before)
        self.put("added", after)

    def runs(self) -> Iterator[Run]:
        for kind, moved, texts in self._runs:
            yield Run(kind=kind, text="".join(texts), moved=moved)


def _units(text: str) -> tuple[str, list[_Unit]]:
    """The blank beginning, then every word or sign with the blanks behind it."""
    lead = _BLANK.match(text)
    assert lead is not None
    found = _UNIT.finditer(text, lead.end())
    return lead[0], [_Unit(word=match[1], space=match[2]) for match in found]


def _blocks(a: Sequence[_Unit], b: Sequence[_Unit]) -> list[_Block]:
    """The longest common subsequence, neighbours in both texts as one block."""
    first = 0
    shorter = min(len(a), len(b))
    while first < shorter and a[first].word == b[first].word:
        first += 1
    last = 0
    while last < shorter - first and a[-1 - last].word == b[-1 - last].word:
        last += 1
    inner_a = [unit.word for unit in a[first : len(a) - last]]
    inner_b = [unit.word for unit in b[first : len(b) - last]]
    pairs = [(i, i) for i in range(first)]
    pairs += [(first + i, first + j) for i, j in longest_common(inner_a, inner_b)]
    pairs += [(len(a) - n, len(b) - n) for n in range(last, 0, -1)]
    blocks: list[_Block] = []
    for i, j in pairs:
        newest = blocks[-1] if blocks else None
        if newest and (newest.a + newest.size, newest.b + newest.size) == (i, j):
            blocks[-1] = _Block(a=newest.a, b=newest.b, size=newest.size + 1)
        else:
            blocks.append(_Block(a=i, b=j, size=1))
    return blocks


def _telling(blocks: list[_Block], a: Sequence[_Unit], b: Sequence[_Unit]) -> list[_Block]:
    """The blocks without those few words that stand between two larger changes.

    Before them and behind them stands an empty one."""
    upto_a = [0, *accumulate(len(unit.word) for unit in a)]
    upto_b = [0, *accumulate(len(unit.word) for unit in b)]

    def change(one: _Block, other: _Block) -> int:
        gone = upto_a[other.a] - upto_a[one.a + one.size]
        return max(gone, upto_b[other.b] - upto_b[one.b + one.size])

    kept = [_Block(a=0, b=0, size=0)]
    for block in (*blocks, _Block(a=len(a), b=len(b), size=0)):
        kept.append(block)
        while len(kept) > 2 and kept[-2].size < TELLING_WORDS:
            left, island, right = kept[-3:]
            said = upto_a[island.a + island.size] - upto_a[island.a]
            if said > min(change(left, island), change(island, right)):
                break
            del kept[-2]
    return kept


def _at_sentences(blocks: Sequence[_Block], a: Sequence[_Unit], b: Sequence[_Unit]) -> list[_Block]:
    """The same blocks, where a passage that only one text has could as well stand a few words
    further on or back: it begins where a line, a sentence or a word does."""
    found = list(blocks)
    for n in range(1, len(found)):
        left, right = found[n - 1], found[n]
        new_a = right.a - left.a - left.size
        new_b = right.b - left.b - left.size
        if new_a and new_b:
            continue
        units, start, size = (a, right.a - new_a, new_a) if new_a else (b, right.b - new_b, new_b)
        most = min(_SLIDE, right.size)
        ahead = 0
        while ahead < most and units[start + ahead].word == units[start + size + ahead].word:
            ahead += 1
        most = min(_SLIDE, left.size)
        back = 0
        while back < most and units[start - 1 - back].word == units[start + size - 1 - back].word:
            back += 1
        shift = max(range(-back, ahead + 1), key=lambda by: _break_at(units, start + by))
        found[n - 1] = replace(left, size=left.size + shift)
        found[n] = _Block(a=right.a + shift, b=right.b + shift, size=right.size - shift)
    return found


def _break_at(units: Sequence[_Unit], at: int) -> int:
    """How much of a break there is before that word."""
    if at == 0:
        return 3
    before = units[at - 1]
    return 3 if "\n" in before.space else 2 if before.word in _ENDS else bool(before.space)


def _moves(
    a: Sequence[_Unit], b: Sequence[_Unit], blocks: Sequence[_Block]
) -> tuple[dict[int, int], dict[int, int]]:
    """For each word of a passage that stands elsewhere in the other text, the move's number."""
    free_a, free_b = set(range(len(a))), set(range(len(b)))
    for block in blocks:
        free_a.difference_update(range(block.a, block.a + block.size))
        free_b.difference_update(range(block.b, block.b + block.size))
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in sorted(free_a):
        places[_words(a, i)].append(i)
    moved_a: dict[int, int] = {}
    moved_b: dict[int, int] = {}
    number, j = 0, 0
    while j < len(b):
        sizes = {
            i: _shared(a, b, i, j, free_a, free_b)
            for i in places.get(_words(b, j), ())[:_CANDIDATES]
        }
        i = max(sizes, key=lambda at: sizes[at], default=0)
        size = sizes.get(i, 0)
        said = sum(len(unit.word) for unit in b[j : j + size])
        if size < TELLING_WORDS or said < TELLING_CHARACTERS:
            j += 1
            continue
        number += 1
        for step in range(size):
            moved_a[i + step] = moved_b[j + step] = number
            free_a.discard(i + step)
        j += size
    return moved_a, moved_b


def _words(units: Sequence[_Unit], at: int) -> tuple[str, ...]:
    return tuple(unit.word for unit in units[at : at + TELLING_WORDS])


def _shared(
    a: Sequence[_Unit], b: Sequence[_Unit], i: int, j: int, free_a: set[int], free_b: set[int]
) -> int:
    """How many words from `i` and `j` on are equal and not accounted for yet."""
    size = 0
    while i + size in free_a and j + size in free_b and a[i + size].word == b[j + size].word:
        size += 1
    return size
