"""Marks put into rendered text: places found by their words, wrapped without breaking any tag.

Only letters and digits are compared, as the board's own `find.js` does: spaces, dashes and marks
may differ between a text as it was written and as it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from itertools import pairwise

from fanout.export.html.markup import NOTHING, Markup

TOKEN = re.compile(r'(<(?:"[^"]*"|[^">])*>)')
"""Splits sanitised HTML: text and tags in turn, text at even places."""

_OPENS = frozenset("\"'“‘«\u2039([¿¡„")
_SCROLL = '<div class="scroll" role="group" tabindex="0" aria-label="Table">'
_HEADING = re.compile(r"(</?)h([3-6])(?=[\s>])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of the shown text, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is put around one place, and behind it."""

    place: Place
    wrap: Callable[[Markup], Markup]
    after: Markup = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Rendered HTML with its text beside it, so that words can be looked up."""

    tokens: tuple[str, ...]
    """Text and tags in turn; texts stand at even places."""
    text: str
    letters: str
    at: tuple[int, ...]
    """Where each of the letters stands in the text."""

    def locate(self, words: str, after: int = 0) -> Place | None:
        """Where these words stand, at or after that character; None where they don't."""
        wanted = _letters(words)
        found = self.letters.find(wanted, bisect_left(self.at, after)) if wanted else -1
        if found < 0:
            return None
        start, end = self.at[found], self.at[found + len(wanted) - 1] + 1
        while start > after and self.text[start - 1] in _OPENS:
            start -= 1
        while end < len(self.text) and _closes(self.text, end):
            end += 1
        return Place(start=start, end=end)


def read(html: str) -> Shown:
    """Take sanitised HTML apart."""
    tokens = tuple(TOKEN.split(html))
    text = "".join(unescape(token) for token in tokens[::2])
    at = tuple(i for i, sign in enumerate(text) if _is_letter(sign))
    return Shown(tokens=tokens, text=text, letters="".join(text[i] for i in at), at=at)


def marked(shown: Shown, marks: Sequence[Mark]) -> Markup:
    """The HTML with these places wrapped; they must not overlap."""
    edges = sorted({edge for mark in marks for edge in (mark.place.start, mark.place.end)})
    out: list[str] = []
    late: list[str] = []
    links, position = 0, 0
    for i, token in enumerate(shown.tokens):
        if i % 2:
            out.append(token)
            links += token.startswith("<a ") - (token == "</a>")
            if not links and late:
                out += late
                late = []
            continue
        words = unescape(token)
        end = position + len(words)
        cuts = [position, *(edge for edge in edges if position < edge < end), end]
        for begin, stop in pairwise(cuts):
            piece = Markup(escape(shown.text[begin:stop], quote=False))
            mark = _over(marks, begin)
            if mark is None or not piece.strip():
                out.append(piece)
                continue
            out.append(mark.wrap(piece))
            if mark.place.end == stop and mark.after:
                # A link in a link is none: what follows waits for the outer one's end.
                (late if links else out).append(mark.after)
        position = end
    return Markup("".join(out + late))


def fitted(html: str) -> Markup:
    """Rendered text as part of a card: its headings below the third level, none of them skipping
    one, and a table that is too wide scrolling by itself."""
    levels: dict[int, int] = {}
    before = 3

    def fit(found: re.Match[str]) -> str:
        nonlocal before
        asked = int(found[2]) + 1
        if found[1] == "<":
            before = levels[asked] = min(asked, before + 1, 6)
        return f"{found[1]}h{levels.get(asked, min(asked, 6))}"

    html = _HEADING.sub(fit, html).replace("<table", f"{_SCROLL}<table")
    return Markup(html.replace("</table>", "</table></div>"))


def split_up(places: Mapping[str, Place]) -> tuple[tuple[Place, tuple[str, ...]], ...]:
    """Places that may overlap as pieces that don't, each with the names that lie over it."""
    edges = sorted({edge for place in places.values() for edge in (place.start, place.end)})
    pieces = []
    for start, end in pairwise(edges):
        names = tuple(n for n, place in places.items() if place.start <= start < place.end)
        if names:
            pieces.append((Place(start=start, end=end), names))
    return tuple(pieces)


def _over(marks: Sequence[Mark], position: int) -> Mark | None:
    return next((m for m in marks if m.place.start <= position < m.place.end), None)


def _letters(words: str) -> str:
    return "".join(filter(_is_letter, words))


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LN"


def _closes(text: str, at: int) -> bool:
    """What belongs to the words before it: full stops and quotes, not a bracket that opens."""
    sign = text[at]
    if sign.isspace() or _is_letter(sign):
        return False
    return not (sign in _OPENS and at + 1 < len(text) and _is_letter(text[at + 1]))
