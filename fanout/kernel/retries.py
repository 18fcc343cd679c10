"""When to try again, and how long to wait first."""

from __future__ import annotations

import random
from dataclasses import dataclass

from fanout.types import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """One retry loop for every endpoint; the SDK's own is switched off so that waits are seen."""

    attempts: int = 4
    """Requests in all, the first one included."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 20.0
    longest_asked_s: float = 120.0
    """An endpoint that asks for a longer wait than this is not waited for."""

    def wait_s(self, failure: Failure, attempt: int, *, wrote: bool) -> float | None:
        """Seconds to wait after failed attempt number `attempt`; None gives up.

        After the first word there is no silent second try: the text on screen would change under
        the reader's eyes. What the endpoint asked for is honoured; otherwise the wait doubles each
        time and is jittered, so that branches which failed together don't come back together.
        """
        if wrote or not failure.retryable or attempt >= self.attempts:
            return None
        if failure.retry_after_s is not None:
            asked = failure.retry_after_s
            return asked if asked <= self.longest_asked_s else None
        wait = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (attempt - 1))
        return wait * random.uniform(0.75, 1.25)
