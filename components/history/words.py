"""A run's line in words: the same for the list, for what a screen reader says and for tests."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import streamlit as st

from components.plain import shortened
from fanout.render.words import money_text, seconds_text, usd_text
from fanout.store.values import RunRow
from fanout.types import RunStatus

MARK, END = "␂", "␃"
"""Between these stand the words that a search found."""


def name(row: RunRow, limit: int = 160) -> str:
    """What the run is called: its own name, or its topic."""
    return shortened(row.label.name or row.topic, limit) or "No topic"


def wall(row: RunRow) -> str:
    return seconds_text(row.wall_s) if row.wall_s > 0 else ""


def instead(row: RunRow) -> str:
    """What the calls took by themselves, one after another; empty where that says nothing."""
    whole = row.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    if saved_s(row) <= 0 or not whole:
        return ""
    return f"instead of {seconds_text(row.sequential_s)}"


def saved_s(row: RunRow) -> float:
    return max(0.0, row.sequential_s - row.wall_s) if row.branches > 1 else 0.0


_CUT_SHORT = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.INTERRUPTED)


def cost(row: RunRow) -> str:
    """ "free", "cost unknown" or dollars."""
    if row.free:
        return "free"
    if row.status in _CUT_SHORT and row.cost_usd is not None:
        # Little came of it: that it cost nothing does not make its model a free one.
        return usd_text(row.cost_usd)
    return money_text(row.cost_usd)


def branches(row: RunRow) -> str:
    """ "3 branches, 1 failed"."""
    failed = f", {row.failed} failed" if row.failed else ""
    return f"{count(row.branches, 'branch', 'branches')}{failed}"


def models(row: RunRow, most: int = 2) -> str:
    """The models that answered, the first few by name."""
    named = ", ".join(shortened(model, 40) for model in row.models[:most])
    more = len(row.models) - most
    return f"{named} and {more} more" if more > 0 else named


def marked(excerpt: str) -> list[tuple[str, bool]]:
    """The excerpt in pieces, and whether each is a word that was searched for."""
    pieces: list[tuple[str, bool]] = []
    for number, part in enumerate(excerpt.split(MARK)):
        found, end, after = part.partition(END)
        if number and end:
            pieces += [(found, True), (after, False)]
        else:
            pieces.append((part.replace(END, ""), False))
    return [(text, is_found) for text, is_found in pieces if text]


def count(number: int, one: str, several: str = "") -> str:
    """ "1 run", "2,340 runs"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def long_text(seconds: float) -> str:
    """ "12.3 s", "4 min 10 s", "3 h 12 min", "2 days 5 h": for sums."""
    if seconds < 3600:
        return seconds_text(max(0.0, seconds))
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, rest = divmod(hours, 24)
    return f"{days:,} days {rest} h"


def zone() -> tzinfo:
    """Where the person is, as the browser says."""
    return _zone(st.context.timezone or "UTC")


@lru_cache(maxsize=64)
def _zone(named: str) -> tzinfo:
    try:
        return ZoneInfo(named)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
