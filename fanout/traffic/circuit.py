"""The circuit: an endpoint that fails again and again gets no new calls for a while.

closed -> open: so many calls in a row have given up for the endpoint's sake
open -> probing: its time is over, and one call tries
probing -> closed: the endpoint answered, with anything
probing -> open: it failed again, and is left alone for twice as long
"""

from __future__ import annotations

from enum import StrEnum

from fanout.types import Failure, FailureKind

LONGEST_S = 300.0
AWAITED_S = 10.0
"""Others wait so long for the call that tries, or as long as an endpoint is left alone at first if
that is less; after that they fail, so that a fallback can answer."""
ENDPOINTS_FAULT = frozenset(
    {
        FailureKind.CONNECTION,
        FailureKind.SERVER,
        FailureKind.TIMEOUT_FIRST_TOKEN,
        FailureKind.TIMEOUT_IDLE,
        FailureKind.BAD_RESPONSE,
        FailureKind.TRUNCATED,
    }
)
"""Not those that another question, key or model mends."""


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Circuit:
    """Counts calls that gave up. Times are of one monotonic clock, in seconds."""

    def __init__(self, failures: int, first_s: float) -> None:
        self.failures, self.first_s = failures, first_s
        self.in_a_row = 0
        self.state = CircuitState.CLOSED
        self.until_s = 0.0
        self.last: Failure | None = None
        self._open_s = first_s
        self._tries_since_s = 0.0

    def reset_policy(self, failures: int, first_s: float) -> None:
        self.failures, self.first_s = failures, first_s
        if not failures:
            self.close()

    def wait_s(self, now_s: float) -> float:
        """How long it is still left alone; 0 lets a call through."""
        if self.state is CircuitState.OPEN:
            return max(0.0, self.until_s - now_s)
        return 0.0

    def try_left_s(self, now_s: float) -> float:
        """How much longer others wait for the call that tries; 0: none does, or it takes long."""
        if self.state is not CircuitState.PROBING:
            return 0.0
        return max(0.0, self._tries_since_s + min(AWAITED_S, self.first_s) - now_s)

    def enter(self, now_s: float) -> bool:
        """A call goes; True where it is the one that tries."""
        if self.state is CircuitState.OPEN and now_s >= self.until_s:
            self.state = CircuitState.PROBING
            self._tries_since_s = now_s
            return True
        return False

    def gave_up(self, failure: Failure, now_s: float) -> None:
        """A call failed for good; one that was kept away by the circuit itself doesn't count."""
        if failure.kind not in ENDPOINTS_FAULT or self.state is not CircuitState.CLOSED:
            return
        self.in_a_row += 1
        self.last = failure
        if self.failures and self.in_a_row >= self.failures:
            self._open(self.first_s, now_s)

    def probe_failed(self, failure: Failure, now_s: float) -> None:
        self.in_a_row += 1
        self.last = failure
        self._open(min(LONGEST_S, 2 * self._open_s), now_s)

    def try_now(self, now_s: float) -> None:
        """A person won't wait: the next call tries."""
        self.until_s = min(self.until_s, now_s)

    def probe_left(self) -> None:
        """Cancelled before anything was known: the next call tries."""
        if self.state is CircuitState.PROBING:
            self.state = CircuitState.OPEN

    def close(self) -> None:
        """The endpoint answered."""
        self.state = CircuitState.CLOSED
        self.in_a_row = 0
        self.last = None

    def _open(self, seconds: float, now_s: float) -> None:
        self._open_s = seconds
        self.until_s = now_s + seconds
        self.state = CircuitState.OPEN
