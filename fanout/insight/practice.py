"""One best practice as measured on one run: a number, what it means, what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "watch", "bad", "unknown"]

NOTHING_TO_DO = "Nothing to do."


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    id: str
    title: str
    value: str
    """Short, with its unit."""
    reading: str
    """One sentence: what the value means."""
    advice: str
    """One sentence: what to do about it."""
    level: Level
    number: float | None
    """The value itself; None where there is none."""


def unknown(practice_id: str, title: str, reading: str) -> Practice:
    """A measure that this run doesn't have, or not yet."""
    return Practice(
        id=practice_id,
        title=title,
        value="–",
        reading=reading,
        advice="",
        level="unknown",
        number=None,
    )


def seconds(value: float) -> str:
    if value < 0.95:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"


def named(titles: Sequence[str]) -> str:
    """ "Joke", "Joke and Poem", "Joke, Poem and 3 more"."""
    if len(titles) > 3:
        return f"{titles[0]}, {titles[1]} and {len(titles) - 2} more"
    return " and ".join(filter(None, [", ".join(titles[:-1]), *titles[-1:]]))


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 branch", "3 branches"."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
