"""A pause: the endpoint told one call to wait, so every call to it waits."""

from __future__ import annotations

from fanout.types import Failure, FailureKind

FIRST_S = 0.5
"""As a retry's first wait."""
LONGEST_DEFAULT_S = 30.0
LONGEST_S = 3600.0
"""What an endpoint asks for beyond this is asked for again then."""


class Pause:
    """Until when, and why. Times are of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self.until_s = 0.0
        self.why: FailureKind | None = None
        self._in_a_row = 0

    def left_s(self, now_s: float) -> float:
        return max(0.0, self.until_s - now_s)

    def asked(self, failure: Failure, *, fresh: bool) -> float | None:
        """Seconds to wait after that failure; None for one that asks nobody to.

        Without a word from the endpoint it is 0.5 s, and twice as long each time that a `fresh`
        call, one that began after the last pause, meets the limit again.
        """
        asked = failure.retry_after_s
        if failure.kind is FailureKind.RATE_LIMIT:
            if fresh:
                self._in_a_row += 1
            if not asked:
                asked = min(LONGEST_DEFAULT_S, FIRST_S * 2.0 ** max(0, self._in_a_row - 1))
        elif failure.kind is not FailureKind.SERVER or asked is None:
            return None
        return min(LONGEST_S, max(0.0, asked))

    def begin(self, seconds: float, why: FailureKind, now_s: float) -> bool:
        """True where that makes it longer."""
        if now_s + seconds <= self.until_s:
            return False
        self.until_s, self.why = now_s + seconds, why
        return True

    def lift(self) -> None:
        """A person won't wait for it."""
        self.until_s = 0.0

    def over(self) -> None:
        """A call went well: the next pause is a short one again."""
        self._in_a_row = 0
