"""The words of a text, the same in every database: what search writes down and what it looks for.

Neither database splits text as people of every script expect, and no two split it alike. So it is
split here, and the databases only see plain words with spaces between them. Case, accents and
width make no difference. Scripts written without spaces give one word per character, so that any
piece of a sentence is found as a phrase. Arabic is written without its vowel marks and with one
form of alef; the article is no part of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

LONGEST = 60
"""Characters of a word that count; further ones are cut, when writing and when asking."""

_SIGNS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640"
"""Accents, Hebrew points, Arabic vowel marks and the stretched line: not part of a word."""
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"  # kana, bopomofo, Han, Hangul
)
_ARABIC = str.maketrans("أإآٱىةؤئ", "ااااي" + "هوي")
_ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word and where it stands in its text."""

    text: str
    start: int
    end: int


def words(text: str) -> list[str]:
    """The words of a text in their order, folded: what is written down for search."""
    if text.isascii():
        return [word[:LONGEST] for word in re.findall(r"[a-z0-9]+", text.lower())]
    return [_stem(word)[:LONGEST] for word in _splitter().findall(_folded(text))]


def placed(text: str) -> Iterator[Word]:
    """The same words, each with its place in the text as it was written."""
    for found in _rough().finditer(text):
        group = found.group()
        for word in [group.lower()[:LONGEST]] if group.isascii() else words(group):
            yield Word(text=word, start=found.start(), end=found.end())


def unfinished(word: str) -> tuple[str, ...]:
    """What a word that is still being typed may begin with."""
    stem = _stem(word, least=1)
    return (word,) if stem == word else (word, stem)


def alone(character: str) -> bool:
    """Whether it is a word by itself."""
    return bool(_lone().match(character))


def spellings(word: str) -> str:
    """A pattern of the ways in which a folded word is written in a text, but for its case."""
    signs = f"[{_SIGNS}]*"
    letters = (f"[{_variants().get(letter, letter)}]" for letter in word)
    article = f"(?:{'|'.join(_ARTICLES)})?" if _arabic(word[0]) else ""
    return article + signs.join(letters) + signs


def rest() -> str:
    """A pattern of what may follow the beginning of a word."""
    return f"(?:(?![{_ALONE}])[^\\W_]|[{_marks()}])*"


def _folded(text: str) -> str:
    opened = unicodedata.normalize("NFKD", text).casefold()
    bare = re.sub(f"[{_SIGNS}]", "", opened)
    return unicodedata.normalize("NFC", bare).translate(_ARABIC)


def _stem(word: str, least: int = 2) -> str:
    """Without the Arabic article, as Lucene's light stemmer does it."""
    for article in _ARTICLES:
        if word.startswith(article) and len(word) >= len(article) + least:
            return word[len(article) :]
    return word


def _arabic(letter: str) -> bool:
    return "\u0620" <= letter <= "\u06d5"


@cache
def _splitter() -> re.Pattern[str]:
    """One character of a script without spaces, or a run of other letters and digits. The vowel
    signs of Indic and other scripts stay with their letter."""
    marks = _marks()
    return re.compile(f"[{_ALONE}](?<=\\w)[{marks}]*|(?:(?![{_ALONE}])[^\\W_][{marks}]*)+")


@cache
def _rough() -> re.Pattern[str]:
    """As `_splitter`, but in text that is not folded yet."""
    marks = _marks() + _SIGNS
    return re.compile(f"[{_ALONE}](?<=\\w)[{marks}]*|(?:(?![{_ALONE}])[^\\W_][{marks}]*)+")


@cache
def _variants() -> dict[str, str]:
    """By a folded letter: itself, and the letters that are folded to it."""
    found: dict[str, str] = {}
    for first, end in ((0xC0, 0x250), (0x370, 0x530), (0x621, 0x64B), (0x1E00, 0x2000)):
        for letter in map(chr, range(first, end)):
            base = _folded(letter)
            if len(base) == 1 and base != letter and letter.isalpha():
                found[base] = found.get(base, base) + letter
    return found


@cache
def _lone() -> re.Pattern[str]:
    return re.compile(f"[{_ALONE}]")


@cache
def _marks() -> str:
    combining = (chr(code) for code in range(0x0300, 0xFE30))
    return "".join(mark for mark in combining if unicodedata.category(mark)[0] == "M")
