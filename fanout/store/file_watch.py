"""The SQLite file under a running process: noticed where it is deleted or another takes its place.

An open connection would go on writing to a file that has no name any more, and all of it would be
gone with the process. So each use of a connection looks whether its file is still the one of that
name, and where there is none the folder gets a new record, as at a start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

log = logging.getLogger(__name__)

EDITION = "fanout_edition"
"""Under this name a connection's `info` holds which of the files it is open on."""
_FILE = "fanout_file"


class FileWatch:
    """Belongs to one engine; `make` puts a new record where there is no file."""

    def __init__(self, engine: Engine, path: Path, make: Callable[[], None]) -> None:
        self._path = path
        self._make = make
        self._lock = Lock()
        self._file = _identity(path)
        self.edition = 0
        """Counts the files that took another's place since the record was opened."""
        # What is in the pool was opened before anybody looked.
        engine.dispose()
        event.listen(engine, "do_connect", self._before)
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "checkout", self._used)

    def _before(self, *_: object) -> None:
        with self._lock:
            if not self._path.exists():
                log.warning("the database of runs is gone; a new one is begun")
                self._make()
                self._file = None
            self._look()

    def _opened(self, _connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_FILE], record.info[EDITION] = _identity(self._path), self.edition

    def _used(
        self, _connection: object, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        if record.info.get(_FILE) == _identity(self._path):
            return
        with self._lock:
            # While the connection is open, no other file can be given the number of its own.
            if self._path.exists():
                self._look()
        # SQLAlchemy closes it and opens another one.
        raise DisconnectionError("the file of this connection is gone")

    def _look(self) -> None:
        now = _identity(self._path)
        if now != self._file:
            self._file = now
            self.edition += 1


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
