"""The ledger of a day: what is set aside and what is spent, for every process of the record.

Looking and setting aside are one transaction that only one process makes at a time. What was set
aside by a process that has died stays taken for that day, since its request may well have been
billed; after a quarter of an hour it is shown as spent. It never reaches the next day.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, func, select, text

from fanout.budget.amount import Amount, Taken
from fanout.budget.ledger import Booking, Claim, DayTaken, Sized, utc_day
from fanout.errors import StoreConflict
from fanout.store.database import insert, reading, writing
from fanout.store.rows import NANO
from fanout.store.schema import reservations, spending

ABANDONED_S = 900.0
"""A reservation as old as this is shown as spent: its process has probably died."""
KEPT_S = 2 * 86_400.0
"""Reservations of days that nobody can book on any more are dropped."""
ADVISORY = 0x46616E427564
"""PostgreSQL's lock for the one who reserves: "FanBud"."""
UNKEPT = (
    "Runs are kept only until Fanout ends, so a budget for the day can't be kept. Mend FANOUT_HOME "
    "or the database, or take the budget of the day away."
)
_MOST = 2**62


class Spend:
    """Implements `budget.ledger.Ledger`."""

    def __init__(
        self, engine: Engine, now: Callable[[], float] = time.time, *, kept: bool = True
    ) -> None:
        """Where nothing is `kept`, nothing can be set aside: a restart would forget it."""
        self._engine = engine
        self._kept = kept
        self._now = now

    def reserve(self, claim: Claim, sized: Sized) -> None:
        """Atomic: what is taken, and this on top. Asked again with one id, it is set aside once."""
        if not self._kept:
            raise StoreConflict(UNKEPT)
        with writing(self._engine) as connection:
            _alone(connection)
            connection.execute(
                delete(reservations).where(
                    (reservations.c.id == claim.id)
                    | (reservations.c.day < utc_day(self._now() - KEPT_S))
                )
            )
            amount = sized(self._taken(connection, claim.day, claim.person))
            connection.execute(
                reservations.insert().values(
                    id=claim.id,
                    day=claim.day,
                    person=claim.person,
                    cost_nano=_nano(amount.usd),
                    tokens=_whole(amount.tokens),
                    made_at=self._now(),
                )
            )

    def book(self, bookings: Sequence[Booking]) -> None:
        """All or nothing. A claim that was booked before is left as it is."""
        if not bookings:
            return
        with writing(self._engine) as connection:
            _alone(connection)
            _add(connection, [each for each in bookings if _closed(connection, each.claim)])

    def taken(self, day: str, person: str) -> DayTaken:
        with reading(self._engine) as connection:
            return self._taken(connection, day, person)

    def _taken(self, connection: Connection, day: str, person: str) -> DayTaken:
        spent = connection.execute(
            select(*_sums(spending.c.cost_nano, spending.c.tokens, spending.c.person == person))
            # Nothing else may be in the row's way to its sums.
            .where(spending.c.day == day)
        ).one()
        fresh = reservations.c.made_at > self._now() - ABANDONED_S
        own = reservations.c.person == person
        held = {
            is_fresh: sums
            for is_fresh, *sums in connection.execute(
                select(fresh, *_sums(reservations.c.cost_nano, reservations.c.tokens, own))
                .where(reservations.c.day == day)
                .group_by(fresh)
            )
        }
        nothing = (0, 0, 0, 0)
        reserved, abandoned = held.get(True, nothing), held.get(False, nothing)
        gone = [int(one) + int(other) for one, other in zip(spent, abandoned, strict=True)]
        return DayTaken(
            everyone=Taken(spent=_amount(gone[:2]), reserved=_amount(reserved[:2])),
            person=Taken(spent=_amount(gone[2:]), reserved=_amount(reserved[2:])),
        )


def _sums(
    nano: ColumnElement[int], tokens: ColumnElement[int], own: ColumnElement[bool]
) -> list[ColumnElement[int]]:
    """Of everybody, then of one person."""
    return [
        func.coalesce(func.sum(value), 0)
        for value in (nano, tokens, case((own, nano), else_=0), case((own, tokens), else_=0))
    ]


def _alone(connection: Connection) -> None:
    """SQLite lets one writer in anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY})"))


def _closed(connection: Connection, claim: Claim) -> bool:
    """Whether this closes a claim that was open; one without an id never was."""
    if not claim.id:
        return True
    gone = connection.execute(delete(reservations).where(reservations.c.id == claim.id))
    return gone.rowcount == 1


def _add(connection: Connection, bookings: Iterable[Booking]) -> None:
    for each in bookings:
        row = {
            "day": each.claim.day,
            "person": each.claim.person,
            "cost_nano": _nano(each.amount.usd),
            "tokens": _whole(each.amount.tokens),
        }
        statement = insert(connection, spending).values(row)
        sums = {
            name: spending.c[name] + statement.excluded[name] for name in ("cost_nano", "tokens")
        }
        connection.execute(
            statement.on_conflict_do_update(index_elements=["day", "person"], set_=sums)
        )


def _nano(usd: Decimal) -> int:
    """Rounded up, so that many small sums are never more than what was counted."""
    return _whole(int((usd * NANO).to_integral_value(ROUND_CEILING)))


def _whole(number: int) -> int:
    return max(0, min(number, _MOST))


def _amount(sums: Sequence[int]) -> Amount:
    return Amount(usd=Decimal(int(sums[0])) / NANO, tokens=int(sums[1]))
