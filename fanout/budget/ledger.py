"""What is written down of a day's and a batch's spending, for all processes of one record.

A day is a UTC date: that is one day for everybody, wherever they and the servers are. A batch may
last for weeks; it has a ledger of its own, and its calls count for the day as any others do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from fanout.budget.amount import Amount, Taken
from fanout.policies import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request that counts against a day, from before it is sent until it is booked."""

    id: str
    """Not to be guessed twice; "" where nothing was set aside."""
    day: str
    """YYYY-MM-DD, in UTC: the day on which it was made, also where it ends on the next."""
    person: str
    """Whose it is; "" where people are not told apart."""
    batch: str = ""
    """The batch that it counts against as well, by its id; "" for a run of no batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What a request took in the end, in place of what was set aside for it."""

    claim: Claim
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTaken:
    everyone: Taken = field(default_factory=Taken)
    person: Taken = field(default_factory=Taken)
    batch: Taken = field(default_factory=Taken)
    """Over all days; nothing where no batch was asked about."""
    batch_cap: Budget = field(default_factory=Budget)
    """What that batch may spend, as it is set now."""


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

    def taken(self, day: str, person: str, batch: str = "") -> DayTaken: ...

    def batch_cap(self, batch: str) -> Budget:
        """No cap for a batch that isn't there any more."""
        ...


def utc_day(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).date().isoformat()
