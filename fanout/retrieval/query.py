"""What a person typed as search terms: words and word pairs, never FTS5 syntax.

SQLite's tokenizer takes a run of Chinese, Japanese, Korean or Thai for a single word, so such runs
are indexed and asked for as pairs of neighbouring characters, the way Lucene does it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

MOST_TERMS = 64
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"  # kana, Han, Hangul
)
"""Scripts written without spaces, as the inside of a character class; Korean's particles, too."""
_RUN = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
_UNSPACED_RUN = re.compile(rf"[{UNSPACED}]+")
_MIXED_WORD = re.compile(rf"\w*[{UNSPACED}][\w{UNSPACED}]*")
_FUNCTION_WORDS = """
a about am an and are as at be been being but by can could d did do does doing don for from
had has have having he her here hers him his how i if in into is it its ll m me my no nor not
of on or our ours re s shall she should so some such t than that the their theirs them then
there these they this those to too us ve very was we were what when where which while who
whom whose why will with would you your yours
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
"""English only: a language whose words are not here still loses those in most passages."""


def terms(query: str) -> tuple[str, ...]:
    """Up to MOST_TERMS distinct terms, those first that the query repeats, each an FTS5 phrase.

    Stop words only count where there is nothing else.
    """
    found = list(_words(unicodedata.normalize("NFC", query)))
    telling = [word for word in found if word not in STOP_WORDS]
    most = Counter(telling or found).most_common(MOST_TERMS)
    return tuple(_phrase(word) for word, _ in most)


def grams(text: str) -> str:
    """What else a passage is indexed under: the pairs, and the words that touch unspaced runs."""
    found: list[str] = []
    for mixed in _MIXED_WORD.finditer(text):
        for run in _RUN.findall(mixed[0]):
            found += [*_pairs(run), run[-1]] if _UNSPACED_RUN.match(run) else [run]
    return " ".join(found)


def _words(text: str) -> Iterator[str]:
    for run in _RUN.findall(text.casefold()):
        if _UNSPACED_RUN.match(run):
            yield from _pairs(run) or [run]
        else:
            yield run


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _phrase(word: str) -> str:
    # A single character of such a script is looked for at the beginning of the pairs.
    alone = len(word) == 1 and _UNSPACED_RUN.match(word)
    return f'"{word}"*' if alone else f'"{word}"'
