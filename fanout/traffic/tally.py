"""What became of an endpoint's calls in the last 15 minutes."""

from __future__ import annotations

import threading
from collections import Counter, deque
from enum import StrEnum

KEPT_S = 900.0


class Outcome(StrEnum):
    CALL = "call"
    """Let through, hedges not counted."""
    SUCCESS = "success"
    FAILURE = "failure"
    """Rate limits not counted: those are nobody's failure."""
    LIMITED = "limited"
    HEDGE = "hedge"
    HEDGE_WON = "hedge_won"


class Tally:
    """Counts outcomes; read from any thread."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Outcome]] = deque()
        self._counts: Counter[Outcome] = Counter()
        self._lock = threading.Lock()

    def add(self, outcome: Outcome, now_s: float) -> None:
        with self._lock:
            self._seen.append((now_s, outcome))
            self._counts[outcome] += 1
            self._forget(now_s)

    def counts(self, now_s: float) -> Counter[Outcome]:
        with self._lock:
            self._forget(now_s)
            return Counter(self._counts)

    def _forget(self, now_s: float) -> None:
        while self._seen and self._seen[0][0] < now_s - KEPT_S:
            self._counts[self._seen.popleft()[1]] -= 1
