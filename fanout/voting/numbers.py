"""Numbers as people and models write them, read exactly: 1,000, 1e3, 1 1/2, twenty-five, 50%."""

from __future__ import annotations

import re
from fractions import Fraction

MOST_DIGITS = 60
"""Longer numbers, and exponents beyond this, stay text: nobody counts votes for them, and a power
of ten with a huge exponent would not fit into memory."""

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]{1,60})"
_DECIMAL = rf"(?:{_DIGITS}(?:\.[0-9]{{0,60}})?|\.[0-9]{{1,60}})"
_POWER = r"(?:e([+-]?[0-9]{1,12})|\s*[×x*·]\s*10\^\(?([+-]?[0-9]{1,12})\)?)"
_SCIENTIFIC = re.compile(rf"({_DECIMAL}){_POWER}?")
_TEN_POWER = re.compile(r"10\^\(?([+-]?[0-9]{1,12})\)?")
_FRACTION = re.compile(r"(?:([0-9]{1,60})(?:\s+|\s+and\s+))?([0-9]{1,60})\s*/\s*([0-9]{1,60})")

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = (
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
_VALUES = {word: i for i, word in enumerate(_SMALL)} | {
    word: 20 + 10 * i for i, word in enumerate(_TENS)
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {"half": 2, "third": 3, "quarter": 4, "halves": 2, "thirds": 3, "quarters": 4}


def number(text: str) -> Fraction | None:
    """The number that `text` wholly is, without a unit; None if it is none or is too large."""
    body = re.sub(r"^(?:minus|negative) ", "-", text.casefold())
    negative = body.startswith("-")
    value = _percent((body[1:] if body[:1] in ("+", "-") else body).strip())
    return None if value is None else -value if negative else value


def _percent(body: str) -> Fraction | None:
    for sign in ("%", "percent", "per cent"):
        if body.endswith(sign):
            value = _scaled(body.removesuffix(sign).strip())
            return None if value is None else value / 100
    return _scaled(body)


def _scaled(body: str) -> Fraction | None:
    """With a word such as "million" behind digits: 1.5 million."""
    first, _, last = body.rpartition(" ")
    if last in _SCALES and first[:1].isdigit():
        value = _scaled(first)
        return None if value is None else _bounded(value * _SCALES[last])
    return _digits(body) if body[:1].isdigit() or body[:1] == "." else _words(body)


def _digits(body: str) -> Fraction | None:
    if (match := _TEN_POWER.fullmatch(body)) and abs(int(match[1])) <= MOST_DIGITS:
        return Fraction(10) ** int(match[1])
    if match := _FRACTION.fullmatch(body):
        bottom = int(match[3])
        return int(match[1] or 0) + Fraction(int(match[2]), bottom) if bottom else None
    if match := _SCIENTIFIC.fullmatch(body):
        exponent = int(match[2] or match[3] or 0)
        if abs(exponent) <= MOST_DIGITS:
            plain = match[1].replace(",", "").replace(" ", "").rstrip(".")
            return Fraction(plain) * Fraction(10) ** exponent
    return None


def _words(body: str) -> Fraction | None:
    """Number words up to trillions: "two and a half", "three quarters", "one hundred and five"."""
    words = body.replace("-", " ").split()
    if not words or len(words) > 16:
        return None
    if words[-1] in _PARTS:
        return _with_part(words[:-1], words[-1])
    whole = _whole([word for word in words if word != "and"])
    return None if whole is None or "and" in (words[0], words[-1]) else Fraction(whole)


def _with_part(words: list[str], part: str) -> Fraction | None:
    """ "half", "a third", "three quarters"; not "twenty third", which is a place in a row."""
    bottom = _PARTS[part]
    if words[-2:] in (["and", "a"], ["and", "one"]):
        whole = _whole(words[:-2])
        return None if whole is None else whole + Fraction(1, bottom)
    if words in ([], ["a"]):
        return Fraction(1, bottom) if words or part == "half" else None
    top = _whole(words)
    plural = part.endswith("s")
    return None if top is None or plural != (top != 1) else Fraction(top, bottom)


def _whole(words: list[str]) -> int | None:
    total = group = 0
    below, scale = 1000, 10**15
    for position, word in enumerate(words):
        value = _VALUES.get(word)
        if value is not None and value < below and (value or len(words) == 1):
            group, below = group + value, 10 if value >= 20 else 0
        elif word == "hundred" and group < 10 and (group or not position):
            group, below = 100 * (group or 1), 100
        elif word in _SCALES and _SCALES[word] < scale and (group or not position):
            scale = _SCALES[word]
            total, group, below = total + (group or 1) * scale, 0, 1000
        else:
            return None
    return total + group if words else None


def _bounded(value: Fraction) -> Fraction | None:
    return value if value < 10**MOST_DIGITS else None


def written(value: Fraction) -> str:
    """Its one way of being written: 1000, 0.5, -1.25; 1/3 where decimals would not end."""
    bottom, twos, fives = value.denominator, 0, 0
    while bottom % 2 == 0:
        bottom, twos = bottom // 2, twos + 1
    while bottom % 5 == 0:
        bottom, fives = bottom // 5, fives + 1
    places = max(twos, fives)
    if bottom != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{part}" if places else f"{sign}{whole}"
