"""The ledger of a day and of a batch: what is set aside and what is spent, for every process.

Looking and setting aside are one transaction that only one process makes at a time. What was set
aside by a process that has died stays taken for that day, since its request may well have been
billed; after a quarter of an hour it is shown as spent. It never reaches the next day. Of a batch
it stays spent for good, or until its process books it after all.

A batch is kept in the same tables, under `OF_BATCHES` where a day would stand and with its id
where the person would: what counts for both is written in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, func, select, text

from fanout.budget.amount import Amount, Taken
from fanout.budget.ledger import Booking, Claim, DayTaken, Sized, utc_day
from fanout.errors import StoreConflict
from fanout.policies import Budget
from fanout.store.database import insert, reading, writing
from fanout.store.rows import NANO
from fanout.store.schema import reservations, spending
from fanout.store.schema_batches import batches

ABANDONED_S = 900.0
"""A reservation as old as this is shown as spent: its process has probably died."""
OF_BATCHES = "batch"
"""In the column of days; no date comes after it."""
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
            rows, old = _rows(claim), reservations.c.day < utc_day(self._now() - KEPT_S)
            connection.execute(
                delete(reservations).where(
                    reservations.c.id.in_([row["id"] for row in rows])
                    | (old & (reservations.c.day != OF_BATCHES))
                )
            )
            amount = sized(self._taken(connection, claim.day, claim.person, claim.batch))
            sums = {"cost_nano": _nano(amount.usd), "tokens": _whole(amount.tokens)}
            connection.execute(
                reservations.insert(), [{**row, **sums, "made_at": self._now()} for row in rows]
            )

    def book(self, bookings: Sequence[Booking]) -> None:
        """All or nothing. A claim that was booked before is left as it is."""
        if not bookings:
            return
        with writing(self._engine) as connection:
            _alone(connection)
            for each in bookings:
                _add(connection, each)

    def taken(self, day: str, person: str, batch: str = "") -> DayTaken:
        with reading(self._engine) as connection:
            return self._taken(connection, day, person, batch)

    def batch_cap(self, batch: str) -> Budget:
        """No cap for a batch that isn't there any more."""
        with reading(self._engine) as connection:
            return _cap(connection, batch)

    def _taken(self, connection: Connection, day: str, person: str, batch: str) -> DayTaken:
        everyone, own = self._counted(connection, day, person)
        if not batch:
            return DayTaken(everyone=everyone, person=own)
        _, of_batch = self._counted(connection, OF_BATCHES, batch, alone=True)
        cap = _cap(connection, batch)
        return DayTaken(everyone=everyone, person=own, batch=of_batch, batch_cap=cap)

    def _counted(
        self, connection: Connection, day: str, person: str, *, alone: bool = False
    ) -> tuple[Taken, Taken]:
        """Of everybody, then of one; `alone` looks at that one's rows only."""
        spent = connection.execute(
            select(
                *_sums(spending.c.cost_nano, spending.c.tokens, spending.c.person == person)
            ).where(spending.c.day == day, *_only(spending.c.person == person, alone))
        ).one()
        fresh = reservations.c.made_at > self._now() - ABANDONED_S
        own = reservations.c.person == person
        held = {
            is_fresh: sums
            for is_fresh, *sums in connection.execute(
                select(fresh, *_sums(reservations.c.cost_nano, reservations.c.tokens, own))
                .where(reservations.c.day == day, *_only(own, alone))
                .group_by(fresh)
            )
        }
        nothing = (0, 0, 0, 0)
        reserved, abandoned = held.get(True, nothing), held.get(False, nothing)
        gone = [int(one) + int(other) for one, other in zip(spent, abandoned, strict=True)]
        return (
            Taken(spent=_amount(gone[:2]), reserved=_amount(reserved[:2])),
            Taken(spent=_amount(gone[2:]), reserved=_amount(reserved[2:])),
        )


def booked_for(connection: Connection, batch: str, at: float) -> tuple[int, int] | None:
    """Nano-dollars and tokens that are spent of a batch's budget, calls that its processes took
    along when they died among them; None where nothing was booked."""
    abandoned = reservations.c.made_at <= at - ABANDONED_S
    own = [
        connection.execute(
            select(func.sum(table.c.cost_nano), func.sum(table.c.tokens)).where(
                table.c.day == OF_BATCHES, table.c.person == batch, *more
            )
        ).one()
        for table, more in ((spending, ()), (reservations, (abandoned,)))
    ]
    known = [(int(nano), int(tokens)) for nano, tokens in own if nano is not None]
    return (sum(n for n, _ in known), sum(t for _, t in known)) if known else None


def forget_batch(connection: Connection, batch: str) -> None:
    """Drop what is known of a batch's spending; that of days and of people stays."""
    for table in (spending, reservations):
        connection.execute(delete(table).where(table.c.day == OF_BATCHES, table.c.person == batch))


def _only(own: ColumnElement[bool], alone: bool) -> list[ColumnElement[bool]]:
    return [own] if alone else []


def _cap(connection: Connection, batch: str) -> Budget:
    row = connection.execute(
        select(batches.c.cap_nano, batches.c.cap_tokens).where(batches.c.id == batch)
    ).one_or_none()
    if row is None:
        return Budget()
    usd = None if row.cap_nano is None else Decimal(row.cap_nano) / NANO
    return Budget(usd=usd, tokens=row.cap_tokens)


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


def _rows(claim: Claim) -> list[dict[str, str]]:
    """What a claim counts against, each under an id of its own."""
    rows = [{"id": claim.id, "day": claim.day, "person": claim.person}]
    if claim.batch:
        batch_id = f"{claim.id}+batch" if claim.id else ""
        rows.append({"id": batch_id, "day": OF_BATCHES, "person": claim.batch})
    return rows


def _add(connection: Connection, booking: Booking) -> None:
    sums = {"cost_nano": _nano(booking.amount.usd), "tokens": _whole(booking.amount.tokens)}
    for row in _rows(booking.claim):
        if row["id"] and not _closed(connection, row["id"]):
            continue
        counted = {"day": row["day"], "person": row["person"], **sums}
        statement = insert(connection, spending).values(counted)
        added = {name: spending.c[name] + statement.excluded[name] for name in sums}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["day", "person"], set_=added)
        )


def _closed(connection: Connection, reservation: str) -> bool:
    """Whether this closes a reservation that was open."""
    gone = connection.execute(delete(reservations).where(reservations.c.id == reservation))
    return gone.rowcount == 1


def _nano(usd: Decimal) -> int:
    """Rounded up, so that many small sums are never more than what was counted."""
    return _whole(int((usd * NANO).to_integral_value(ROUND_CEILING)))


def _whole(number: int) -> int:
    return max(0, min(number, _MOST))


def _amount(sums: Sequence[int]) -> Amount:
    return Amount(usd=Decimal(int(sums[0])) / NANO, tokens=int(sums[1]))
