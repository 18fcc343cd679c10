"""Who goes next: the runs in turn, and within a run who came first."""

from __future__ import annotations

from collections import deque

import anyio

from fanout.policies import HoldReason
from fanout.traffic.holds import Held, Hold
from fanout.types import RunId

SAME_S = 1.0
"""A wait that grew by less than this is not told again."""


class Waiter:
    """One call before the gate."""

    def __init__(self, run: RunId, held: Held) -> None:
        self.run = run
        self.event = anyio.Event()
        """Set when it should look again whether it may go."""
        self._held = held
        self._told: Hold | None = None

    def tell(self, hold: Hold) -> None:
        """Say what it waits for, where that is news."""
        told = self._told
        news = (
            told is None
            or told.reason is not hold.reason
            or (hold.reason is not HoldReason.SLOT and hold.until_s > told.until_s + SAME_S)
        )
        if news:
            self._told = hold
            self._held(hold.reason, None if hold.reason is HoldReason.SLOT else hold.seconds)


class FairQueue:
    """Round robin over runs, so that a run of 100 branches does not starve a run of 3."""

    def __init__(self) -> None:
        self._lines: dict[RunId, deque[Waiter]] = {}

    @property
    def head(self) -> Waiter | None:
        return next((line[0] for line in self._lines.values()), None)

    def __len__(self) -> int:
        return sum(len(line) for line in tuple(self._lines.values()))

    def counts(self) -> dict[RunId, int]:
        """Calls that wait, by run; from any thread."""
        return {run: len(line) for run, line in tuple(self._lines.items())}

    def all(self) -> list[Waiter]:
        return [waiter for line in self._lines.values() for waiter in line]

    def join(self, waiter: Waiter) -> None:
        self._lines.setdefault(waiter.run, deque()).append(waiter)

    def served(self, waiter: Waiter) -> None:
        """It goes; its run's next call comes after one of every other run."""
        line = self._lines.pop(waiter.run)
        line.remove(waiter)
        if line:
            self._lines[waiter.run] = line

    def gone(self, waiter: Waiter) -> None:
        """It waits no longer, and its run keeps its turn."""
        line = self._lines[waiter.run]
        line.remove(waiter)
        if not line:
            del self._lines[waiter.run]
