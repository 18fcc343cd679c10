"""Requests and tokens per minute: reserved before a call, settled after it."""

from __future__ import annotations

from dataclasses import dataclass

from pyrate_limiter import InMemoryStateStore

from fanout.policies import EndpointPolicy, RateFacts
from fanout.traffic.credit import Credit
from fanout.traffic.ledger import MINUTE_S, Ledger


class Reserved:
    """What one call took: a request, and so many tokens."""

    def __init__(self, *, call: int, tokens: int, at_ms: int) -> None:
        self.call, self.tokens, self.at_ms = call, tokens, at_ms
        self.elsewhere_ms: int | None = None
        """When it was counted where other processes see it; None: it wasn't."""
        self.settled = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Per minute; None has no limit, or none that is known."""

    requests: int | None = None
    tokens: int | None = None


class Quota:
    """Both rates of one endpoint as this process counts them, and as the endpoint does."""

    def __init__(self, policy: EndpointPolicy, minute_s: float = MINUTE_S) -> None:
        self.policy = policy
        self._requests = Ledger(InMemoryStateStore(), minute_s)
        self._tokens = Ledger(InMemoryStateStore(), minute_s)
        self._request_credit, self._token_credit = Credit(), Credit()

    @property
    def limits(self) -> Limits:
        """What is counted here: what a person set. What the endpoint said counts only where it
        leaves out when the limit is whole again; a minute is the guess then."""
        return Limits(
            requests=set_limit(self.policy.requests_per_minute) or _guessed(self._request_credit),
            tokens=set_limit(self.policy.tokens_per_minute) or _guessed(self._token_credit),
        )

    @property
    def learnt(self) -> Limits:
        """What the endpoint says; by its own clock, which may count seconds or days."""
        return Limits(requests=self._request_credit.limit, tokens=self._token_credit.limit)

    def take(self, call: int, tokens: int, now_s: float) -> Reserved | float:
        """The reservation, or the seconds until it may fit; then nothing was spent.

        More tokens than the limit has are taken for all of it: such a call goes alone.
        """
        limits, now_ms = self.limits, int(now_s * 1000)
        tokens = max(0, tokens if limits.tokens is None else min(tokens, limits.tokens))
        wait_s = max(
            self._request_credit.wait_s(1, now_s), self._token_credit.wait_s(tokens, now_s)
        )
        wait_s = wait_s or self._requests.take(limits.requests, 1, now_ms)
        if wait_s:
            return wait_s
        wait_s = self._tokens.take(limits.tokens, tokens, now_ms)
        if wait_s:
            self._requests.count(-1, now_ms)
            return wait_s
        self._request_credit.take(call, 1)
        self._token_credit.take(call, tokens)
        return Reserved(call=call, tokens=tokens, at_ms=now_ms)

    def undo(self, reserved: Reserved) -> None:
        """Nothing was sent."""
        reserved.settled = True
        self._request_credit.undo(reserved.call)
        self._token_credit.undo(reserved.call)
        self._requests.count(-1, reserved.at_ms)
        self._tokens.count(-reserved.tokens, reserved.at_ms)

    def settle(self, reserved: Reserved, used: int) -> bool:
        """It used so many tokens; False where it was settled before."""
        if reserved.settled:
            return False
        reserved.settled = True
        self._request_credit.answered(reserved.call)
        self._token_credit.answered(reserved.call)
        self._tokens.count(used - reserved.tokens, reserved.at_ms)
        return True

    def hear(self, call: int, facts: RateFacts, now_s: float) -> None:
        """What the endpoint said about its limits with the answer to that call."""
        self._request_credit.answered(
            call, facts.requests_limit, facts.requests_left, facts.requests_reset_s, now_s
        )
        self._token_credit.answered(
            call, facts.tokens_limit, facts.tokens_left, facts.tokens_reset_s, now_s
        )

    def forget(self) -> None:
        """What the endpoint said is left doesn't count any more; what a person set does."""
        self._request_credit.forget()
        self._token_credit.forget()

    def left(self, now_s: float) -> Limits:
        """What may still be taken at this moment; None where nothing limits it. From any thread."""
        limits, now_ms = self.limits, int(now_s * 1000)
        return Limits(
            requests=_least(
                self._requests.left(limits.requests, now_ms), self._request_credit.left(now_s)
            ),
            tokens=_least(self._tokens.left(limits.tokens, now_ms), self._token_credit.left(now_s)),
        )


def set_limit(limit: int | None) -> int | None:
    """What a person set; a limit that lets nothing through is none."""
    return limit if limit is not None and limit > 0 else None


def _guessed(credit: Credit) -> int | None:
    return None if credit.told else credit.limit


def _least(one: int | None, other: int | None) -> int | None:
    known = [number for number in (one, other) if number is not None]
    return min(known) if known else None
