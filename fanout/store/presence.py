"""A lock in PostgreSQL that a process holds for as long as it lives, on a connection of its own.

The server gives it back at once when the process ends, however it ends, since its socket is closed
then; where a whole machine or the network goes away, when its keepalives aren't answered. It needs
a connection that is the same all along: no pooler that hands out another one per transaction.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, Engine, extract, func, select, text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

_KEEPALIVES = "; ".join(
    f"SET tcp_keepalives_{name} = {value}"
    for name, value in {"idle": 10, "interval": 5, "count": 3}.items()
)
_HELD = text(
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = CAST(CAST(:high AS bigint) AS oid)"
    " AND objid = CAST(CAST(:low AS bigint) AS oid)"
)


class Presence:
    """Of this process. With SQLite there is none, and nothing happens."""

    def __init__(self, engine: Engine, owner: str) -> None:
        """Nothing is asked yet."""
        self._engine = engine
        self._key = _key(owner)
        self._line: psycopg.Connection | None = None
        self._lock = threading.Lock()
        self._closed = False

    def hold(self) -> None:
        """Take the lock, or make sure that it is held; where that can't be, the next call tries."""
        if self._engine.dialect.name != "postgresql":
            return
        with self._lock:
            if self._closed:
                return
            try:
                if self._line is not None:
                    self._line.execute("SELECT 1")
                    return
            except self._engine.dialect.loaded_dbapi.Error:
                self._drop()
            self._take()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _take(self) -> None:
        try:
            pooled = self._engine.raw_connection()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            # Asked for a bare connection, the engine lets the driver's own errors through.
            log.info("this process' lock is not held yet: %s", type(error).__name__)
            return
        # From now on it is not the pool's, which would take it back and hand it out.
        self._line = cast("psycopg.Connection", pooled.driver_connection)
        pooled.detach()
        try:
            self._line.autocommit = True
            self._line.execute(_KEEPALIVES.encode())
            taken = self._line.execute("SELECT pg_try_advisory_lock(%s)", [_signed(self._key)])
            # What was lost a moment ago may still be held by the connection that broke.
            if taken.fetchone() != (True,):
                self._drop()
        except self._engine.dialect.loaded_dbapi.Error as error:
            log.info("this process' lock is not held yet: %s", type(error).__name__)
            self._drop()

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def held(connection: Connection, owner: str) -> bool:
    """Whether the process of that id holds its lock right now."""
    key = _key(owner)
    asked = {"high": key >> 32, "low": key & 0xFFFFFFFF}
    return connection.execute(_HELD, asked).first() is not None


def restarted_at(connection: Connection) -> float:
    """When the server began, as Unix time by its own clock."""
    began = select(extract("epoch", func.pg_postmaster_start_time()))
    return float(connection.execute(began).scalar_one())


def _key(owner: str) -> int:
    """64 of the 128 bits of its name."""
    return int(owner[:16], 16)


def _signed(key: int) -> int:
    return key - (1 << 64) if key >= 1 << 63 else key
