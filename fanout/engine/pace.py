"""How many runs a person may start in an hour, so that one can't take a shared Fanout for all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from math import ceil
from time import time

from fanout.errors import InputError, StoreError

HOUR_S = 3600.0


class Pace:
    """Of one person. Counts also what was deleted since, and what another process started."""

    def __init__(
        self,
        most: int,
        started_since: Callable[[float], Sequence[float]],
        clock: Callable[[], float] = time,
    ) -> None:
        """`started_since` tells from the record when this person's runs began."""
        self._most = most
        self._started_since = started_since
        self._clock = clock
        self._own: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Count a run that is about to start. InputError says when the next one may."""
        with self._lock:
            now = self._clock()
            recent = self._recent(now)
            if len(recent) >= self._most:
                frees = recent[len(recent) - self._most] + HOUR_S
                raise InputError(_told(self._most, frees - now))
            self._own.append(now)

    def give_back(self) -> None:
        """The run counted last did not start."""
        with self._lock:
            if self._own:
                self._own.pop()

    def _recent(self, now: float) -> list[float]:
        """When runs began within the last hour, oldest first; the longer of the two lists.

        A run that was removed for good is missing in the record, one of another process here.
        """
        while self._own and self._own[0] <= now - HOUR_S:
            self._own.popleft()
        try:
            recorded = list(self._started_since(now - HOUR_S))
        except StoreError:
            recorded = []
        return max(list(self._own), recorded, key=len)


def _told(most: int, wait_s: float) -> str:
    minutes = ceil(wait_s / 60)
    when = "in a minute" if minutes <= 1 else f"in {minutes} minutes"
    return (
        f"You have started {most} runs within an hour, and that is as many as one person may here "
        f"(FANOUT_PERSON_RUNS_PER_HOUR). The next one can start {when}; what you typed is still "
        "in the fields."
    )
