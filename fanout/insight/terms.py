"""What a sentence is about: its content words as stems, its numbers, and which of them weigh more.

English-leaning: stop words and endings are English. Other languages still match word by word and,
by characters, across inflection; Chinese, Japanese and Thai, written without spaces, are taken as
pairs of characters.
"""

from __future__ import annotations

import re
from functools import lru_cache

NUMBER = "#"
"""What the term of a number begins with."""

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TERM = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)*)"
    rf"|(?P<unspaced>[{_UNSPACED}]+)"
    rf"|(?P<word>[^\W\d_{_UNSPACED}]+(?:['’][^\W\d_]+)*)"
    "|(?P<percent>%)"
)
_CITATION = re.compile(r"\[\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\]")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
_NEGATION = re.compile(
    r"\b(?:not|no|none|never|neither|nor|nobody|nothing|nowhere|cannot|without|hardly)\b|n['’]t\b",
    re.IGNORECASE,
)
_COUNT_WORDS = "two three four five six seven eight nine ten eleven twelve"
_COUNTS = {word: str(i) for i, word in enumerate(_COUNT_WORDS.split(), start=2)}
_FUNCTION_WORDS = """
    a about above after again all also although am an and any are as at be because been before
    being between both but by can could did do does doing down during each either else even ever
    every few for from further had has have having he her here hers him his how however i if in
    into is it its itself just let like lot made make makes many may me might mine more most
    much must my neither no nor not now of off often on once one only onto or other others our
    out over own per perhaps quite rather really same shall she should since so some still such
    than that the their theirs them then there these they this those though through thus to too
    under until up upon us very was we well were what when where whether which while who whom
    whose why will with within without would yet you your yours don't doesn't isn't aren't it's
    that's can't won't there's there're they're we're you're i'm"""
_GLUE_WORDS = """
    overall summary summarise summarize sum conclusion conclude finally firstly first secondly
    second thirdly lastly moreover furthermore additionally therefore meanwhile instead combined
    following follows key points point below mentioned answer answers perspective perspectives
    view views side sides hand consider considered taken together various several important
    importantly note notably example instance"""
"""They hold an answer together rather than say anything."""
_STOP = frozenset((_FUNCTION_WORDS + _GLUE_WORDS).split())
_ENDINGS = (
    ("isations", ""), ("izations", ""), ("isation", ""), ("ization", ""), ("ations", ""),
    ("ation", ""), ("ating", ""), ("ated", ""), ("ates", ""), ("ate", ""),
    ("ments", ""), ("ment", ""), ("nesses", ""), ("ness", ""), ("ingly", ""),
    ("edly", ""), ("ities", ""), ("ity", ""), ("ically", "ic"), ("ising", ""), ("izing", ""),
    ("ised", ""), ("ized", ""), ("ises", ""), ("izes", ""), ("ise", ""), ("ize", ""),
    ("ings", ""), ("ing", ""), ("ions", ""), ("ion", ""), ("ers", ""), ("er", ""), ("ors", ""),
    ("or", ""), ("ies", "i"), ("ied", "i"), ("est", ""), ("ed", ""), ("es", ""), ("ly", ""),
    ("s", ""), ("e", ""), ("y", "i"),
)  # fmt: skip
_SHORTEST_STEM = 3


def terms(text: str) -> frozenset[str]:
    """The distinct content terms: "Prices rose by 3.5 %" gives price, rose, #3.5, percent."""
    found: set[str] = set()
    for match in _TERM.finditer(_CITATION.sub(" ", text)):
        kind, piece = match.lastgroup, match[0]
        if kind == "number":
            found.add(NUMBER + number(piece))
        elif kind == "percent":
            found.add("percent")
        elif kind == "unspaced":
            found.update(piece[i : i + 2] for i in range(max(1, len(piece) - 1)))
        elif term := _term(piece):
            found.add(term)
    return frozenset(found)


def names(text: str) -> frozenset[str]:
    """Terms that are capitalised inside the sentence, as names are."""
    words = [match for match in _TERM.finditer(text) if match.lastgroup == "word"][1:]
    return frozenset(term for match in words if match[0][0].isupper() and (term := _term(match[0])))


def numbers(text: str) -> frozenset[str]:
    """The numbers written in digits, thousands separators taken out."""
    found = _TERM.finditer(_CITATION.sub(" ", text))
    return frozenset(number(match[0]) for match in found if match.lastgroup == "number")


def negated(text: str) -> bool:
    """Whether an English "not" of any kind stands in it."""
    return bool(_NEGATION.search(text))


def number(digits: str) -> str:
    plain = _THOUSANDS.sub("", digits)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


@lru_cache(maxsize=20_000)
def _term(word: str) -> str:
    """The stem of a word; empty for one that says nothing by itself."""
    word = word.casefold().replace("’", "'")
    if word in _STOP:
        return ""
    if word in _COUNTS:
        return NUMBER + _COUNTS[word]
    word = word.removesuffix("'s")
    if len(word) < 2 or not word.isascii():
        return word if len(word) > 1 else ""
    return _stem(word)


def _stem(word: str) -> str:
    if word.endswith("ss"):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word.removesuffix(ending) + instead
            break
    doubled = len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeious"
    return word[:-1] if doubled else word
