"""Runs in flight over all processes of a database, and a turn at counting them and adding one.

Counting and adding have to be one step, or three processes that are asked at once each find the
last place free. PostgreSQL keeps the turn; with SQLite each process counts for itself, and sees of
the others what is written.
"""

from __future__ import annotations

from types import TracebackType

from sqlalchemy import Connection, Engine, func, select, text

from fanout.people import PersonId
from fanout.store.database import reading, told
from fanout.store.owners import Owners
from fanout.store.schema import runs
from fanout.store.values import InFlight
from fanout.types import RunStatus

ADVISORY = 0x46616E5475726E
"""The lock that a turn is: "FanTurn"."""
WAIT_MS = 5000
"""Longest that a turn is waited for: two others may each hold one until their run's first line is
written, which they wait 2 s for."""


class Turns:
    """May be used from any thread."""

    def __init__(self, engine: Engine, owners: Owners) -> None:
        self._engine = engine
        self._owners = owners

    def turn(self) -> Turn:
        """Held as a context, it is nobody else's. StoreError where it can't be had in `WAIT_MS`.

        It may be entered on one thread and left on another.
        """
        return Turn(self._engine)

    def elsewhere(self, person: PersonId) -> InFlight:
        """What living processes but this one have in flight. StoreError."""
        with reading(self._engine) as connection:
            found = connection.execute(
                select(runs.c.owner, runs.c.person, func.count())
                .where(
                    runs.c.status == RunStatus.RUNNING,
                    runs.c.batch == "",
                    runs.c.owner.not_in(("", self._owners.id)),
                    runs.c.deleted_at.is_(None),
                )
                .group_by(runs.c.owner, runs.c.person)
            ).all()
            alive = {o: self._owners.alive(connection, o) for o in {row.owner for row in found}}
        there = [(row.person, row[2]) for row in found if alive[row.owner]]
        mine = sum(count for whose, count in there if whose == person)
        return InFlight(of_person=mine, of_all=sum(count for _, count in there))


class Turn:
    """One turn; a context manager that is used once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def __enter__(self) -> Turn:
        if self._engine.dialect.name != "postgresql":
            return self
        with told(self._engine):
            connection = self._engine.connect()
            try:
                # One transaction, which its end or the loss of the connection ends with the lock.
                connection.execute(text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY})
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Nothing was changed in it.
            connection.close()
