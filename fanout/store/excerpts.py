"""The place in a run's texts where a search found its words, short enough for a list.

The words found stand between U+2402 and U+2403, so that a page can mark them whatever else the
text holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from fanout.store.searching import Phrase
from fanout.store.words import Word, alone, placed, rest, spellings

OPEN, CLOSE = "\u2402", "\u2403"
BEFORE, LENGTH = 50, 200
"""Characters before the first word found, and in all."""
READ = 100_000
"""Characters of one text that are looked through."""
FOLDED = 4_000
"""Characters of a run whose words are folded one by one, which takes its time."""
_SIGNS = str.maketrans(dict.fromkeys(OPEN + CLOSE, " "))

Place = tuple[int, int, int]
"""From, to, and which phrase."""


def excerpt(parts: Iterable[str], phrases: Sequence[Phrase]) -> str:
    """From the part that holds most of the phrases; "" where none is found."""
    best, where, most = "", list[Place](), 0
    texts = [part[:READ].translate(_SIGNS) for part in parts if part.strip()]
    for look in (_spelled_out, _folded):
        for part, places in look(texts, phrases):
            kinds = len({place[2] for place in places})
            if kinds > most:
                best, where, most = part, places, kinds
            if most == len(phrases):
                break
        if most:
            return _cut(best, where)
    return ""


def _spelled_out(
    texts: Sequence[str], phrases: Sequence[Phrase]
) -> Iterator[tuple[str, list[Place]]]:
    """Where the words stand, case and accents aside."""
    pattern = re.compile("|".join(f"({_pattern(phrase)})" for phrase in phrases), re.IGNORECASE)
    for part in texts:
        yield part, [(m.start(), m.end(), m.lastindex or 0) for m in pattern.finditer(part)]


def _pattern(phrase: Phrase) -> str:
    made = "" if alone(phrase.words[0][0]) else r"(?<![^\W_])"
    for before, word in zip(("", *phrase.words), phrase.words, strict=False):
        # Characters of scripts without spaces are words of their own, with no edge between them.
        close = before and (alone(before[-1]) or alone(word[0]))
        made += (r"[\W_]*" if close else r"[\W_]+" if before else "") + spellings(word)
    if phrase.beginnings:
        return made + rest()
    return made if alone(phrase.words[-1][-1]) else made + r"(?![^\W_])"


def _folded(texts: Sequence[str], phrases: Sequence[Phrase]) -> Iterator[tuple[str, list[Place]]]:
    """Where they stand in other ways, such as ½ for 1 and 2."""
    left = FOLDED
    for part in texts:
        if left <= 0:
            return
        there = list(placed(part[:left]))
        left -= len(part)
        yield (
            part,
            sorted(
                (there[index].start, there[index + len(phrase.words) - 1].end, kind)
                for kind, phrase in enumerate(phrases)
                for index in range(len(there) - len(phrase.words) + 1)
                if _fits(there[index : index + len(phrase.words)], phrase)
            ),
        )


def _fits(there: Sequence[Word], phrase: Phrase) -> bool:
    *before, last = (word.text for word in there)
    if tuple(before) != phrase.words[:-1]:
        return False
    if phrase.beginnings:
        return last.startswith(phrase.beginnings)
    return last == phrase.words[-1]


def _cut(part: str, places: Sequence[Place]) -> str:
    """A window on the text where the most different phrases stand near to each other."""
    near = [
        len({kind for at, _, kind in places[i : i + 50] if at - start < LENGTH - BEFORE})
        for i, (start, _, _) in enumerate(places[:200])
    ]
    first = places[near.index(max(near))][0]
    begin = max(0, first - BEFORE)
    end = min(len(part), begin + LENGTH)
    if begin and (space := part.find(" ", begin, first)) > 0:
        begin = space + 1
    if end < len(part) and (space := part.rfind(" ", first + 1, end)) > 0:
        end = space
    made, at = "", begin
    for start, stop, _ in places:
        if start < at or start >= end:
            continue
        stop = min(stop, max(end, start + 1)) if start > first else stop
        made += f"{part[at:start]}{OPEN}{part[start:stop]}{CLOSE}"
        at = stop
    made += part[at:end]
    shown = re.sub(r"\s+", " ", made).strip()
    return f"{'…' if begin else ''}{shown}{'…' if max(end, at) < len(part) else ''}"
