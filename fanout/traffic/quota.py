"""Requests and tokens per minute: reserved before a call, settled after it."""

from __future__ import annotations

from dataclasses import dataclass

from pyrate_limiter import Decision, InMemoryStateStore, Rate, StateStore

from fanout.policies import EndpointPolicy, RateFacts
from fanout.traffic.credit import Credit
from fanout.traffic.window import Window

MINUTE_S = 60.0
UNLIMITED = 2**53
"""For a sum that is kept in case that a limit is learnt."""


@dataclass(slots=True, kw_only=True, eq=False)
class Reserved:
    """What one call took."""

    call: int
    tokens: int
    at_ms: int
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Per minute; None has no limit, or none that is known."""

    requests: int | None = None
    tokens: int | None = None


class Quota:
    """Both rates of one endpoint, in this process. Never over a limit in any minute."""

    def __init__(self, policy: EndpointPolicy, minute_s: float = MINUTE_S) -> None:
        self.policy = policy
        self.learnt = Limits()
        self._minute_ms = int(minute_s * 1000)
        self._fitting, self._forced = Window(), Window(forced=True)
        self._requests: StateStore = InMemoryStateStore()
        self._tokens: StateStore = InMemoryStateStore()
        self._request_credit, self._token_credit = Credit(), Credit()

    @property
    def limits(self) -> Limits:
        """What a person set counts; otherwise what the endpoint said."""
        policy, learnt = self.policy, self.learnt
        return Limits(
            requests=policy.requests_per_minute or learnt.requests,
            tokens=policy.tokens_per_minute or learnt.tokens,
        )

    def take(self, call: int, tokens: int, now_s: float) -> Reserved | float:
        """The reservation, or the seconds until it may fit; then nothing was spent.

        More tokens than the limit has are taken for all of it: such a call goes alone.
        """
        limits, now_ms = self.limits, int(now_s * 1000)
        tokens = max(0, tokens if limits.tokens is None else min(tokens, limits.tokens))
        wait_s = max(
            self._request_credit.wait_s(1, now_s), self._token_credit.wait_s(tokens, now_s)
        )
        wait_s = wait_s or self._check(self._requests, limits.requests, 1, now_ms)
        if wait_s:
            return wait_s
        wait_s = self._check(self._tokens, limits.tokens, tokens, now_ms)
        if wait_s:
            self._count(self._requests, -1, now_ms)
            return wait_s
        self._request_credit.take(call, 1)
        self._token_credit.take(call, tokens)
        return Reserved(call=call, tokens=tokens, at_ms=now_ms)

    def undo(self, reserved: Reserved) -> None:
        """Nothing was sent."""
        self._count(self._requests, -1, reserved.at_ms)
        self.settle(reserved, 0)

    def settle(self, reserved: Reserved, used: int) -> None:
        """It used so many tokens; once."""
        if reserved.settled:
            return
        reserved.settled = True
        self._request_credit.answered(reserved.call)
        self._token_credit.answered(reserved.call)
        self._count(self._tokens, used - reserved.tokens, reserved.at_ms)

    def hear(self, call: int, facts: RateFacts, now_s: float) -> None:
        """What the endpoint said about its limits with the answer to that call."""
        self.learnt = Limits(
            requests=facts.requests_limit or self.learnt.requests,
            tokens=facts.tokens_limit or self.learnt.tokens,
        )
        self._request_credit.answered(call, facts.requests_left, facts.requests_reset_s, now_s)
        self._token_credit.answered(call, facts.tokens_left, facts.tokens_reset_s, now_s)

    def left(self, now_s: float) -> Limits:
        """What may still be taken at this moment; None where nothing limits it."""
        return Limits(
            requests=_least(
                self._left(self._requests, self.limits.requests, now_s),
                self._request_credit.left(now_s),
            ),
            tokens=_least(
                self._left(self._tokens, self.limits.tokens, now_s),
                self._token_credit.left(now_s),
            ),
        )

    def _check(self, store: StateStore, limit: int | None, weight: int, now_ms: int) -> float:
        """0 where it fits and is counted; otherwise the seconds until it may."""
        algorithm = self._forced if limit is None else self._fitting
        decision = store.check(algorithm, [self._rate(limit)], now_ms, weight)
        assert isinstance(decision, Decision)
        return 0.0 if decision.allowed else (decision.retry_after_ms or self._minute_ms) / 1000

    def _count(self, store: StateStore, weight: int, at_ms: int) -> None:
        store.check(self._forced, [self._rate(None)], at_ms, weight)

    def _left(self, store: StateStore, limit: int | None, now_s: float) -> int | None:
        if limit is None:
            return None
        rates = [self._rate(limit)]
        state = store.read(self._fitting, rates)
        assert isinstance(state, tuple)
        return max(0, limit - self._fitting.consumed(rates, state, int(now_s * 1000)))

    def _rate(self, limit: int | None) -> Rate:
        return Rate(limit or UNLIMITED, self._minute_ms)


def _least(one: int | None, other: int | None) -> int | None:
    known = [number for number in (one, other) if number is not None]
    return min(known) if known else None
