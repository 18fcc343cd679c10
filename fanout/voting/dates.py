"""Dates as people write them, brought to the ISO form: 5th of March, 2024 is 2024-03-05.

03/05/2024 is March in one country and May in another, so it stays as it is.
"""

from __future__ import annotations

import re
from datetime import date

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_NUMBER = {name: i for i, name in enumerate(_MONTHS, 1)}
_NUMBER |= {name[:3]: i for i, name in enumerate(_MONTHS, 1)} | {"sept": 9}

_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?"
_DAY = r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?"
_MONTH = r"(?P<name>[a-z]{3,9})\.?"
_YEAR = r"(?P<y>[0-9]{4})"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}[-/.](?P<m>[0-9]{{1,2}})[-/.](?P<d>[0-9]{{1,2}})",
        rf"{_WEEKDAY}(?:the )?{_DAY}(?: of)?[ -]{_MONTH},?[ -]{_YEAR}",
        rf"{_WEEKDAY}{_MONTH} (?:the )?{_DAY},? {_YEAR}",
        rf"{_YEAR} {_MONTH} {_DAY}",
        rf"{_MONTH},? {_YEAR}",
    )
)
_SLASHES = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


def iso_date(text: str) -> str | None:
    """YYYY-MM-DD, or YYYY-MM for a month; None where it is no date, or not clearly one."""
    if not 6 <= len(text) <= 40:
        return None
    folded = text.casefold()
    for form in _FORMS:
        if match := form.fullmatch(folded):
            return _written(match.groupdict())
    if match := _SLASHES.fullmatch(folded):
        first, second, year = (int(part) for part in match.groups())
        if first > 12 or second > 12:
            day, month = max(first, second), min(first, second)
            return _valid(year, month, day)
        if first == second:
            return _valid(year, first, first)
    return None


def _written(parts: dict[str, str | None]) -> str | None:
    named = parts.get("name")
    month = _NUMBER.get(named) if named else int(parts.get("m") or 0)
    if not month:
        return None
    year, day = int(parts["y"] or 0), parts.get("d")
    if day is None:
        return f"{year:04}-{month:02}"
    return _valid(year, month, int(day))


def _valid(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
