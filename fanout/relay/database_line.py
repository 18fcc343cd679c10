"""PostgreSQL's LISTEN and NOTIFY as a line: no server beside the one that holds the record.

A notification holds less than 8,000 bytes and is gone when it was delivered. All that is due is
sent in one transaction, since each commit with notifications takes a lock of the whole server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import psycopg
from psycopg import sql

from fanout.relay.line import WAIT_S, Ear, Lost

LONGEST = 7_900
CHECK_S = 10.0
"""A line on which nothing came for so long is asked whether it is still there."""
_LIVELY = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""A server that went away without a word is noticed within that; see `store.database`."""
_SEND: LiteralString = "SELECT pg_notify(%s, %s)"


class DatabaseLine:
    """Implements `line.Line`."""

    name = "PostgreSQL"
    longest = LONGEST

    def __init__(self, url: str) -> None:
        """`url` as FANOUT_DATABASE_URL, which was checked where the record was opened."""
        self._url = "postgresql" + url.strip()[url.strip().index("://") :]
        self._sending: psycopg.Connection | None = None

    def ear(self, addresses: Sequence[str]) -> Ear:
        connection = self._connected()
        try:
            for address in addresses:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(_channel(address))))
        except psycopg.Error as error:
            connection.close()
            raise Lost(_told(error)) from None
        return _Ear(connection)

    def send(self, texts: Sequence[tuple[str, str]]) -> None:
        try:
            if self._sending is None or self._sending.closed:
                self._sending = self._connected()
            with self._sending.transaction(), self._sending.cursor() as cursor:
                cursor.executemany(_SEND, [(_channel(to), text) for to, text in texts])
        except psycopg.Error as error:
            self.close()
            raise Lost(_told(error)) from None

    def close(self) -> None:
        if self._sending is not None:
            self._sending.close()
            self._sending = None

    def _connected(self) -> psycopg.Connection:
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=int(WAIT_S),
                client_encoding="UTF8",
                application_name="fanout-relay",
                **_LIVELY,  # type: ignore[arg-type]
            )
            connection.execute(f"SET statement_timeout = {int(WAIT_S * 1000)}".encode())
        except psycopg.Error as error:
            raise Lost(_told(error)) from None
        return connection


class _Ear:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._silent_s = 0.0

    def hear(self, timeout_s: float) -> Sequence[str]:
        try:
            # Returns as soon as one is there, with all that came along.
            found = [n.payload for n in self._connection.notifies(timeout=timeout_s, stop_after=1)]
            self._silent_s = 0.0 if found else self._silent_s + timeout_s
            if self._silent_s >= CHECK_S:
                self._silent_s = 0.0
                self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise Lost(_told(error)) from None
        return found

    def close(self) -> None:
        self._connection.close()


def _channel(address: str) -> str:
    return f"fanout_{address}"


def _told(error: psycopg.Error) -> str:
    # Its own words may hold an address with a password.
    return f"{type(error).__name__} ({error.sqlstate or 'no connection'})"
