"""One endpoint's rates and pauses where several processes see them: Redis or a database.

Everything here blocks and belongs into a worker thread. Times are milliseconds of the wall clock,
so machines that share a place have to agree on the time to about a second, which a window allows.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Protocol

from pyrate_limiter import StateStore

from fanout.endpoint import Endpoint
from fanout.traffic.ledger import Ledger
from fanout.traffic.quota import Limits


class OutOfReach(Exception):
    """The place doesn't answer now; its text is fit for the screen."""


class Place(Protocol):
    """Where it is kept. Every method may raise OutOfReach, and so may its stores."""

    @property
    def name(self) -> str:
        """As the health panel says it."""
        ...

    def store(self, key: str) -> StateStore:
        """The sum under that key; nothing is sent yet."""
        ...

    def paused_until_ms(self, key: str) -> int:
        """0 where nobody asked for a pause."""
        ...

    def pause(self, key: str, until_ms: int) -> None:
        """Never makes a pause shorter."""
        ...

    def lift(self, key: str) -> None:
        """Nobody is paused any more."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a lane answers."""

    at_ms: int
    wait_s: float = 0.0
    """More than 0: nothing was taken, and it may fit after that."""
    paused_s: float = 0.0
    """Likewise: somebody was told to wait."""


class Lane:
    """Takes from what all processes share."""

    def __init__(self, place: Place, endpoint: Endpoint, minute_s: float) -> None:
        self._place = place
        # The address belongs to it: two installations may call different servers "cloud".
        digest = hashlib.sha256(f"{endpoint.id} {endpoint.base_url}".encode()).hexdigest()[:20]
        self._key = f"fanout:traffic:{digest}"
        self._requests = Ledger(place.store(f"{self._key}:requests"), minute_s)
        self._tokens = Ledger(place.store(f"{self._key}:tokens"), minute_s)

    def take(self, limits: Limits, tokens: int) -> Taken:
        now_ms = wall_ms()
        paused_ms = self._place.paused_until_ms(self._key) - now_ms
        if paused_ms > 0:
            return Taken(at_ms=now_ms, paused_s=paused_ms / 1000)
        wait_s = self._requests.take(limits.requests, 1, now_ms)
        if wait_s:
            return Taken(at_ms=now_ms, wait_s=wait_s)
        wait_s = self._tokens.take(limits.tokens, tokens, now_ms) if tokens else 0.0
        if wait_s:
            self._requests.count(-1, now_ms)
        return Taken(at_ms=now_ms, wait_s=wait_s)

    def count(self, requests: int, tokens: int, at_ms: int) -> None:
        """More or less than what was taken at that moment."""
        self._requests.count(requests, at_ms)
        self._tokens.count(tokens, at_ms)

    def pause(self, until_ms: int) -> None:
        self._place.pause(self._key, until_ms)

    def lift(self) -> None:
        self._place.lift(self._key)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000
