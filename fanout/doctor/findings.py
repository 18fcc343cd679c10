"""What was found: one line each, how bad it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    FINE = "fine"
    NOTE = "note"
    """Not looked at, or not needed here."""
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    group: str
    """What it is about, as "Database"."""
    level: Level
    text: str
    """One sentence, without secrets."""
    todo: str = ""
    """What to do; "" where nothing is."""


def status(findings: Iterable[Finding]) -> int:
    """The exit status: 0 fine, 1 something is broken, 3 warnings."""
    levels = {finding.level for finding in findings}
    if Level.BROKEN in levels:
        return 1
    return 3 if Level.WARNING in levels else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Makes the findings of one group."""

    name: str

    def fine(self, text: str) -> Finding:
        return Finding(group=self.name, level=Level.FINE, text=text)

    def note(self, text: str, todo: str = "") -> Finding:
        return Finding(group=self.name, level=Level.NOTE, text=text, todo=todo)

    def warning(self, text: str, todo: str = "") -> Finding:
        return Finding(group=self.name, level=Level.WARNING, text=text, todo=todo)

    def broken(self, text: str, todo: str = "") -> Finding:
        return Finding(group=self.name, level=Level.BROKEN, text=text, todo=todo)


def grouped(findings: Iterable[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    """In the order in which the groups were met."""
    by_group: dict[str, list[Finding]] = {}
    for finding in findings:
        by_group.setdefault(finding.group, []).append(finding)
    yield from by_group.items()
