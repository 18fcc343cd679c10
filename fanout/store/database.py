"""One engine for SQLite or PostgreSQL, its two kinds of transaction, and what its errors mean.

SQLite waits for another writer only where a transaction begins, so a block that has begun can be
sure of its end, and nothing ever waits for a second: whoever writes tries again by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from fanout.errors import StoreError

BUSY_MS = 250
TRIES = 3
"""How often SQLite is asked for the writer's place, each time for `BUSY_MS`."""
LOCK_MS = BUSY_MS * TRIES
"""The same for a lock in PostgreSQL."""
CONNECT_S = 10
LIVELY = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""A server that went away without a word is noticed in seconds: what is sent isn't acknowledged, or
nothing comes. Alone the kernel would go on trying for a quarter of an hour."""
DAMAGED_MARK = "-damaged"
"""Ends the name of an empty file: the database beside it has to be checked from end to end."""

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
GONE = (
    "The database of runs (fanout.db in FANOUT_HOME) can't be opened. See whether the folder is "
    "still there and can be written."
)
_TOLD = {
    sqlite3.SQLITE_FULL: "The disk is full, so runs can't be written down. Free some space.",
    sqlite3.SQLITE_READONLY: "The database of runs (fanout.db in FANOUT_HOME) can't be written. "
    "Give this user the right to write it.",
    sqlite3.SQLITE_CANTOPEN: GONE,
    sqlite3.SQLITE_IOERR: "The disk did not read or write the database of runs (fanout.db in "
    "FANOUT_HOME). See whether it is full or failing.",
}
LOCKED = (
    "Another program holds the database of runs (fanout.db in FANOUT_HOME). It is tried again; "
    "close that program if this goes on."
)
TWICE = "Another process wrote the same run at the same moment. Try again."
DAMAGED = (
    "The database of runs (fanout.db in FANOUT_HOME) is damaged. Restart Fanout: it sets the "
    "damaged file aside and begins a new one."
)


def sqlite_engine(path: Path | None) -> Engine:
    """The database in that file; None: in memory, one block at a time."""
    memory = {"pool_size": 1, "max_overflow": 0} if path is None else {}
    engine = create_engine(
        URL.create("sqlite", database=None if path is None else str(path)),
        poolclass=QueuePool,
        connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
        hide_parameters=True,
        **memory,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def postgresql_engine(url: URL) -> Engine:
    """The database at that address. Its errors never show what was to be written."""
    return create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_S, "client_encoding": "UTF8", **LIVELY},
        pool_pre_ping=True,
        hide_parameters=True,
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent picture for as long as the block lasts; StoreError."""
    with told(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """All of the block's changes or none; StoreError, within a second, if it can't be now."""
    with told(engine), _begun(engine) as connection:
        yield connection


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Turns what a database may say on any day into a StoreError; bugs stay what they are."""
    try:
        yield
    except PoolTimeout:
        raise StoreError("The database of runs is too busy. It is tried again.") from None
    except (DBAPIError, sqlite3.Error) as error:
        said = _said(engine, error)
        if said is None:
            raise
        raise StoreError(said) from None


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can also update; both databases write it in the same way."""
    name = connection.dialect.name
    return sqlite.insert(table) if name == "sqlite" else postgresql.insert(table)


def code(error: BaseException | None) -> int | None:
    """SQLite's primary error code."""
    extended = getattr(error, "sqlite_errorcode", None)
    return None if extended is None else extended & 0xFF


def busy(error: BaseException | None) -> bool:
    return code(error) in _BUSY


def damaged(error: BaseException | None) -> bool:
    return code(error) in _DAMAGED


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(fanout_writes=True) as connection:
        if engine.dialect.name == "postgresql":
            with connection.begin():
                connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
                yield connection
            return
        for left in reversed(range(TRIES)):
            try:
                transaction = connection.begin()
                break
            except OperationalError as error:
                if not (busy(error.orig) and left):
                    raise
        with transaction:
            yield connection


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Python's own handling would begin transactions late and as readers.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("fanout_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _said(engine: Engine, error: DBAPIError | sqlite3.Error) -> str | None:
    """What to tell people; None for a bug of ours."""
    if isinstance(error, DBAPIError) and engine.dialect.name == "postgresql":
        return _said_by_postgresql(error)
    # Raised bare where a connection is being prepared.
    cause = error.orig if isinstance(error, DBAPIError) else error
    if busy(cause):
        return LOCKED
    if isinstance(error, IntegrityError):
        return TWICE
    if damaged(cause):
        if engine.url.database:
            with suppress(OSError):
                Path(engine.url.database + DAMAGED_MARK).touch()
        return DAMAGED
    return _TOLD.get(code(cause) or 0)


def _said_by_postgresql(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None) or ""
    match state[:2]:
        case "" | "08" | "57":
            lost = error.connection_invalidated or isinstance(error, OperationalError)
            return (
                "The database server of runs does not answer. It is tried again." if lost else None
            )
        case "53":
            return "The database server of runs has no room or memory left. Free some there."
        case "55" | "40":
            return "Something else holds the database of runs. It is tried again."
        case "23":
            return TWICE
        case "25" | "28":
            return "The database server of runs lets nothing be written. See to this user's rights."
        case "42" if state == "42501":
            return "The database server of runs lets nothing be written. See to this user's rights."
        case _:
            return None
