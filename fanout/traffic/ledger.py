"""One sum per minute, in this process's memory or where several processes see it."""

from __future__ import annotations

from pyrate_limiter import Decision, Rate, StateStore

from fanout.traffic.window import Window

MINUTE_S = 60.0
UNLIMITED = 2**53
_FITTING, _FORCED = Window(), Window(forced=True)


class Ledger:
    """Requests or tokens of one endpoint. Times are milliseconds of one clock per store."""

    def __init__(self, store: StateStore, minute_s: float) -> None:
        self._store = store
        self._minute_ms = int(minute_s * 1000)

    def take(self, limit: int | None, weight: int, now_ms: int) -> float:
        """0 where it fits and is counted; otherwise the seconds until it may.

        Counted without a limit too, in case that one is learnt or set later.
        """
        algorithm = _FORCED if limit is None else _FITTING
        decision = self._store.check(algorithm, [self._rate(limit)], now_ms, weight)
        assert isinstance(decision, Decision), "the store is a synchronous one"
        return 0.0 if decision.allowed else (decision.retry_after_ms or self._minute_ms) / 1000

    def count(self, weight: int, at_ms: int) -> None:
        """More or less than what was taken at that moment, whatever the limit."""
        if weight:
            self._store.check(_FORCED, [self._rate(None)], at_ms, weight)

    def left(self, limit: int | None, now_ms: int) -> int | None:
        if limit is None:
            return None
        rates = [self._rate(limit)]
        state = self._store.read(_FITTING, rates)
        assert isinstance(state, tuple), "the store is a synchronous one"
        return max(0, limit - _FITTING.consumed(rates, state, now_ms))

    def _rate(self, limit: int | None) -> Rate:
        return Rate(limit or UNLIMITED, self._minute_ms)
