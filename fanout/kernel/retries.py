"""When to try again, and how long to wait first."""

from __future__ import annotations

import random

from fanout.policies import RetryPolicy
from fanout.types import Failure


def wait_s(
    policy: RetryPolicy, failure: Failure, attempt: int, *, restarts: int = 0, wrote: bool = False
) -> float | None:
    """Seconds to wait after failed attempt number `attempt`; None gives up.

    After the first word the column is begun anew, which its reader sees, so that is done only
    `policy.restarts` times; `restarts` says how often it was. What the endpoint asked for is
    honoured; otherwise the wait doubles each time and is jittered, so that branches which failed
    together don't come back together.
    """
    if not failure.retryable or attempt >= policy.attempts:
        return None
    if wrote and restarts >= policy.restarts:
        return None
    # Some say 0 to everybody; taken at their word, they would be asked again without a pause.
    if asked := failure.retry_after_s:
        return asked if asked <= policy.longest_asked_s else None
    wait = min(policy.longest_wait_s, policy.first_wait_s * 2.0 ** (attempt - 1))
    return wait * random.uniform(0.75, 1.25)
