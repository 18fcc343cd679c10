"""One SQLite file, used by many threads and processes: short transactions, readers never wait.

Connections are lent to one block at a time and kept for the next, so that no thread has to be known
and nothing is left open by one that ends.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fanout.errors import SettingsError
from fanout.retrieval.schema import TABLES, VERSION

BUSY_S = 20.0


class Database:
    """The library's file, made if need be; SettingsError if it can't be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(
                f"The document library ({path.name} in FANOUT_HOME) can't be opened: {error}. "
                "Free space or rights may be missing; if the file is damaged, move it away and a "
                "new one is made."
            ) from None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent picture for as long as the block lasts."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of the block's changes or none; waits for another writer."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            changes = connection.total_changes
            yield connection
            if connection.total_changes != changes:
                connection.execute("UPDATE state SET generation = generation + 1")

    def close(self) -> None:
        """Close what is idle; a later use opens anew."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._open()
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # Closing rolls back, whatever state the connection is in.
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _prepare(self) -> None:
        connection = self._open()
        try:
            _write_ahead(connection)
            connection.execute("BEGIN IMMEDIATE")
            tables = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'"
            if not connection.execute(tables).fetchone()[0]:
                # executescript would commit first, and two processes might both make the tables.
                for statement in _statements(TABLES):
                    connection.execute(statement)
                connection.execute("INSERT INTO schema_version VALUES (?)", (VERSION,))
            (version,) = connection.execute("SELECT version FROM schema_version").fetchone()
            connection.execute("COMMIT")
        finally:
            connection.close()
        if version > VERSION:
            raise SettingsError(
                f"The document library ({self._path.name} in FANOUT_HOME) was written by a newer "
                "Fanout. Start that one, or set FANOUT_HOME to another folder."
            )


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two processes may open a new file at once, and SQLite does not wait for this lock itself."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
