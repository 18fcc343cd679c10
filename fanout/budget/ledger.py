"""What is written down of a day's spending, for all processes that share a record of runs.

A day is a UTC date: that is one day for everybody, wherever they and the servers are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from fanout.budget.amount import Amount, Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request that counts against a day, from before it is sent until it is booked."""

    id: str
    """Not to be guessed twice; "" where nothing was set aside."""
    day: str
    """YYYY-MM-DD, in UTC: the day on which it was made, also where it ends on the next."""
    person: str
    """Whose it is; "" where people are not told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What a request took in the end, in place of what was set aside for it."""

    claim: Claim
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTaken:
    everyone: Taken = field(default_factory=Taken)
    person: Taken = field(default_factory=Taken)


Sized: TypeAlias = Callable[[DayTaken], Amount]
"""How much a request needs, given what is taken; raises where that doesn't fit."""


class Ledger(Protocol):
    """All methods may be called from any thread and by several processes, and raise StoreError
    where the record can't be used now; nothing was half done then."""

    def reserve(self, claim: Claim, sized: Sized) -> None:
        """Look at what is taken and set aside what `sized` says, and nobody else in between.

        What `sized` raises goes through, and nothing is set aside then.
        """
        ...

    def book(self, bookings: Sequence[Booking]) -> None:
        """Put what was taken in place of what was set aside; a claim counts once."""
        ...

    def taken(self, day: str, person: str) -> DayTaken: ...


def utc_day(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).date().isoformat()
