"""Numbers with their units and currencies, brought to one form: 1.5 km is 1500 m, $5 is 5 usd.

A bare number is not equal to one with a unit: "5" may be metres or minutes, so it counts apart.
"""

from __future__ import annotations

import re
from fractions import Fraction

from fanout.voting.numbers import number, written
from fanout.voting.units import SIGNS, unit

LONGEST = 100
"""Characters; a longer text is no quantity."""

_MONEY = re.compile(rf"([+-]?)\s*(us\$|[{SIGNS}]|usd|eur|gbp|jpy|inr)\s*([^a-z].*)", re.I)
_BETWEEN_PIECES = re.compile(r"(?<=[^\W\d])(?:\s*,\s*|\s+and\s+|\s+|)(?=[0-9])")
_NOUN = re.compile(r"[^\W\d_][^\W\d_' -]*(?:[' -][^\W\d_]+)*")


def quantity(text: str) -> str | None:
    """The one form of a number, with its unit if it has one; None where `text` is no quantity."""
    if not text or len(text) > LONGEST:
        return None
    value = number(text)
    if value is not None:
        return written(value)
    found = _money(text) or _measured(text) or _compound(text)
    return None if found is None else f"{written(found[0])} {found[1]}"


def counted_things(text: str) -> str | None:
    """Number and noun: "five apples" is "5 apples"; the noun itself is kept as it is."""
    if len(text) > LONGEST:
        return None
    for space in reversed([i for i, char in enumerate(text) if char == " "]):
        things = text[space + 1 :].casefold()
        if _NOUN.fullmatch(things) and not text.casefold().startswith("a "):
            value = number(text[:space])
            if value is not None:
                return f"{written(value)} {things}"
    return None


def _money(text: str) -> tuple[Fraction, str] | None:
    match = _MONEY.fullmatch(text)
    currency = unit(match[2]) if match else None
    value = number(match[1] + match[3].strip()) if match else None
    return None if currency is None or value is None else (value * currency[0], currency[1])


def _measured(text: str) -> tuple[Fraction, str] | None:
    for i in range(1, len(text)):
        known = unit(text[i:].strip())
        if known:
            value = number(text[:i].strip())
            if value is not None:
                return value * known[0], known[1]
    return None


def _compound(text: str) -> tuple[Fraction, str] | None:
    """Several pieces of one dimension: 1 h 30 min, 5 ft 3 in."""
    pieces = _BETWEEN_PIECES.split(text)
    if not 1 < len(pieces) < 5 or text.startswith("-"):
        return None
    found = [measured for piece in pieces if (measured := _measured(piece))]
    if len(found) < len(pieces) or len({base for _, base in found}) > 1:
        return None
    return sum((value for value, _ in found), Fraction(0)), found[0][1]
