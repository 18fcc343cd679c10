"""How long each model of an endpoint took to its first token, lately."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from math import ceil

KEPT = 200
ENOUGH = 20
"""Below this the 95 % quantile is just the slowest answer so far, which says nothing about late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTokenTimes:
    """Seconds to the first token of one model."""

    model: str
    count: int
    p50_s: float
    p95_s: float
    p99_s: float


class FirstTokens:
    """The last 200 per model; read from any thread."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def add(self, model: str, after_s: float) -> None:
        with self._lock:
            self._times.setdefault(model, deque(maxlen=KEPT)).append(after_s)

    def quantile_s(self, model: str, share: float) -> float | None:
        """None as long as fewer than 20 are known."""
        with self._lock:
            times = sorted(self._times.get(model, ()))
        return _quantile(times, share) if len(times) >= ENOUGH else None

    def all(self) -> tuple[FirstTokenTimes, ...]:
        with self._lock:
            sorted_times = {model: sorted(times) for model, times in self._times.items()}
        return tuple(
            FirstTokenTimes(
                model=model,
                count=len(times),
                p50_s=_quantile(times, 0.50),
                p95_s=_quantile(times, 0.95),
                p99_s=_quantile(times, 0.99),
            )
            for model, times in sorted_times.items()
        )


def _quantile(times: list[float], share: float) -> float:
    """Nearest rank: a time that was really taken."""
    return times[min(len(times), max(1, ceil(share * len(times)))) - 1]
