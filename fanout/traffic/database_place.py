"""A database as the place that processes share: a row per sum, locked while it is changed.

pyrate-limiter's own buckets for PostgreSQL and SQLite keep a row per unit, which is a row per
token; this keeps the few numbers of its algorithm in one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pyrate_limiter import Decision, Rate, StateAlgorithm, StateStore, WallClock
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from fanout.errors import SettingsError
from fanout.traffic.lane import OutOfReach
from fanout.traffic.window import State

WAIT_S = 2
OUT = "The database (FANOUT_DATABASE_URL) does not answer, so limits hold for this process only"
ADVISORY = 0x46616E54726166
"""The lock that PostgreSQL's table is made under: "FanTraf"."""

_TABLE = Table(
    "fanout_traffic",
    MetaData(),
    Column("key", String(80), primary_key=True),
    Column("state", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)


class DatabasePlace:
    """Implements `lane.Place`."""

    name = "the database"

    def __init__(self, url: str) -> None:
        self._engine = _engine(_address(url))
        self._made = False

    def store(self, key: str) -> StateStore:
        return _Store(self, key)

    def paused_until_ms(self, key: str) -> int:
        with self.row(key) as (connection, _):
            query = select(_TABLE.c.until_ms).where(_TABLE.c.key == key)
            return int(connection.execute(query).scalar_one())

    def pause(self, key: str, until_ms: int) -> None:
        with self.row(key) as (connection, _):
            connection.execute(
                update(_TABLE)
                .where(_TABLE.c.key == key, _TABLE.c.until_ms < until_ms)
                .values(until_ms=until_ms)
            )

    def lift(self, key: str) -> None:
        with self.row(key) as (connection, _):
            connection.execute(update(_TABLE).where(_TABLE.c.key == key).values(until_ms=0))

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def row(self, key: str) -> Iterator[tuple[Connection, str]]:
        """The state under that key, which is nobody else's until the block ends."""
        try:
            self._make()
            with self._engine.begin() as connection:
                insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
                new = insert(_TABLE).values(key=key, state="", until_ms=0)
                # Writing first takes the row's lock in PostgreSQL and the file's in SQLite.
                kept = new.on_conflict_do_update(
                    index_elements=[_TABLE.c.key], set_={"key": new.excluded.key}
                ).returning(_TABLE.c.state)
                yield connection, str(connection.execute(kept).scalar_one())
        except SQLAlchemyError:
            raise OutOfReach(OUT) from None

    def _make(self) -> None:
        if self._made:
            return
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY})
            connection.execute(CreateTable(_TABLE, if_not_exists=True))
        self._made = True


class _Store(StateStore):
    default_clock = WallClock()

    def __init__(self, place: DatabasePlace, key: str) -> None:
        self._place, self._key = place, key

    def check(
        self, algorithm: StateAlgorithm, rates: list[Rate], now: int, weight: int
    ) -> Decision:
        with self._place.row(self._key) as (connection, stored):
            before = algorithm.decode(stored.split())
            after, decision = algorithm.step(rates, before, now, weight)
            if after != before:
                written = " ".join(f"{number:.0f}" for number in after)
                connection.execute(
                    update(_TABLE).where(_TABLE.c.key == self._key).values(state=written)
                )
        return decision

    def read(self, algorithm: StateAlgorithm, rates: list[Rate]) -> State:
        with self._place.row(self._key) as (_, stored):
            return algorithm.decode(stored.split())

    def reset(self) -> None:
        with self._place.row(self._key) as (connection, _):
            connection.execute(update(_TABLE).where(_TABLE.c.key == self._key).values(state=""))


def _address(url: str) -> URL:
    """Its text never reaches an error: it may hold a password."""
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is not None and parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed is not None and parsed.drivername == "sqlite" and parsed.database:
        return parsed
    raise SettingsError(
        "Limits can't be shared there: it is no address of a PostgreSQL database. It looks like "
        "postgresql://user:password@host:5432/name."
    )


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"timeout": WAIT_S}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return create_engine(
        url,
        connect_args={
            "connect_timeout": WAIT_S,
            "client_encoding": "UTF8",
            # The server's own limits are no help against one that doesn't answer at all.
            "tcp_user_timeout": WAIT_S * 1000,
            "keepalives_idle": 5,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "options": f"-c lock_timeout={WAIT_S}s -c statement_timeout={WAIT_S}s "
            "-c synchronous_commit=off",
        },
        pool_pre_ping=True,
        pool_timeout=WAIT_S,
        hide_parameters=True,
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """The sums of a minute need no disk that has them after a power cut."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
