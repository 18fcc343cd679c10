"""One form for equal answers, so that they are counted together and others are not.

Where it is not clear that two answers mean the same they stay apart: a split vote shows, a wrong
merge does not. True and false are not yes and no, as they answer another kind of question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from fanout.voting.dates import iso_date
from fanout.voting.quantities import counted_things, quantity

LONG = 1_000
"""Characters; beyond, only case, spaces and what surrounds the text are evened out."""
MOST_PASSES = 1_000
"""Only texts made for it need more than a few, such as LaTeX groups inside each other."""

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile(r"(?<=[^\s])[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR = re.compile(r"[¼½¾⅐-⅞]")
_SAME_SIGNS = str.maketrans(
    {
        "−": "-",
        "\u2010": "-",
        "\u2011": "-",
        "\u2044": "/",
        "\u2215": "/",
        "’": "'",
        "\u200b": "",
        "\ufeff": "",
    }
)
_LATEX: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\$([^$]+)\$$|^\\\((.+)\\\)$|^\\\[(.+)\\\]$"), r"\1\2\3"),
    (re.compile(r"\\[dt]?frac\s*\{([0-9]+)\}\s*\{([0-9]+)\}"), r" \1/\2"),
    (re.compile(r"\\[dt]?frac\s*([0-9])\s*([0-9])"), r" \1/\2"),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf|boxed)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot)(?![a-z])"), " × "),
    (re.compile(r"\^\{?\\circ\}?"), "°"),
    (re.compile(r"\^\{(-?[0-9]+)\}"), r"^\1"),
    (re.compile(r"\{,\}|\\!|\\(?:left|right)(?![a-z])"), ""),
    (re.compile(r"\\[,;: ]"), " "),
    (re.compile(r"\\([%$&#])"), r"\1"),
)
_QUOTES = "\"'“”‘’„«»`"
_BRACKETS = {"(": ")", "[": "]"}
_OPTION = re.compile(r"(?:(?:option|choice)\s+)?\(?([a-z])[).]?", re.I)
_ARTICLE = re.compile(r"(?:the|an?) (?=\S)")
_SYNONYMS = dict.fromkeys(("yes", "yeah", "yep", "yup"), "yes")
_SYNONYMS |= dict.fromkeys(("no", "nope", "nah"), "no")


def normalised(answer: str) -> str:
    """The canonical form of any text. Never raises; a canonical form is its own canonical form.

    Numbers are compared exactly (0.50, 1/2 and 50% are one answer), units within their dimension
    (1.5 km and 1500 m), dates by day. A bare number is not equal to one with a unit.
    """
    text = answer
    for _ in range(MOST_PASSES):
        once = _once(text)
        if once == text:
            break
        text = once
    return text


def _once(text: str) -> str:
    tidy = _tidied(text)
    bare = _peeled(tidy)
    if not bare or len(bare) > LONG:
        return (bare or tidy).casefold()
    kinds: tuple[Callable[[str], str | None], ...] = (
        _option_letter,
        _yes_or_no,
        iso_date,
        quantity,
        counted_things,
    )
    for kind in kinds:
        found = kind(bare)
        if found is not None:
            return found
    return _without_articles(bare.casefold())


def _tidied(text: str) -> str:
    if len(text) <= LONG and ("\\" in text or "$" in text):
        for pattern, instead in _LATEX:
            text = pattern.sub(instead, text.strip())
    # Before NFKC, which would make 10³ to 103 and 1½ to 11/2.
    text = _POWER.sub(lambda m: "^" + m[0].translate(_SUPERSCRIPTS), text)
    text = _VULGAR.sub(lambda m: f" {unicodedata.normalize('NFKC', m[0])}", text)
    text = unicodedata.normalize("NFKC", text.translate(_SAME_SIGNS)).translate(_SAME_SIGNS)
    return " ".join(text.split())


def _peeled(text: str) -> str:
    """Without the quotes, marks and full stops around it; signs that mean something stay."""
    start, end = 0, len(text)
    while start < end:
        size = end - start
        first, last = text[start], text[end - 1]
        second = text[start + 1] if size > 1 else " "
        before = text[end - 2] if size > 1 else " "
        if _leads(first, second, text[start + 2 : start + 3]):
            start += 1
        elif last in " \t`,;:.?" or (last == "!" and text[max(start, end - 3) : end - 1].isalpha()):
            end -= 1
        elif last == before and last in "*_":
            end -= 2
        elif first == second and first in "*_":
            start += 2
        elif size > 1 and _is_pair(first, last, text, start, end):
            start, end = start + 1, end - 1
        else:
            break
    return text[start:end]


def _leads(first: str, second: str, third: str) -> bool:
    if first in "-•·–*":
        return second == " " and not (first == "-" and third.isdigit())
    return first in " \t`#:;," or (first == "." and not second.isdigit())


def _is_pair(first: str, last: str, text: str, start: int, end: int) -> bool:
    """(5) is 5, but (1, 2) is a point or a range and f(x)(y) no pair."""
    if (first in _QUOTES and last in _QUOTES) or (first == last and first in "*_"):
        return True
    if _BRACKETS.get(first) != last or end - start > LONG:
        return False
    inside = text[start + 1 : end - 1]
    return bool(inside.strip()) and not any(char in "()[]{}," for char in inside)


def _option_letter(text: str) -> str | None:
    match = _OPTION.fullmatch(text)
    return match[1].casefold() if match else None


def _yes_or_no(text: str) -> str | None:
    return _SYNONYMS.get(text.casefold())


def _without_articles(text: str) -> str:
    while match := _ARTICLE.match(text):
        text = text[match.end() :]
    return text
