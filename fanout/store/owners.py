"""Who is at work on a run: each process that has the record open, and whether it still lives.

A lock on a file tells it at once and for certain on one machine and in one FANOUT_HOME, also after
kill -9 and when process ids are used again. PostgreSQL tells it of any machine: each process holds
a lock on a connection of its own, which the server gives back when that process ends. A heartbeat
covers the rest: a server that was restarted, and a machine that went away without a word.

A silence is told from the database's own only by who was heard there all along: where it was away
for everybody, the first one back would else find all others dead.
"""

from __future__ import annotations

import logging
import os
import platform
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, extract, func, select

from fanout.errors import StoreError
from fanout.store.database import insert, writing
from fanout.store.file_lock import FileLock, taken
from fanout.store.file_watch import EDITION
from fanout.store.presence import Presence, held, restarted_at
from fanout.store.schema import processes

log = logging.getLogger(__name__)

BEAT_S = 2.0
"""Between two heartbeats."""
SILENT_S = 30.0
"""A process that was not heard of for so long is gone, where nothing else tells."""
UNHELD_S = 6.0
"""The same for one whose lock nobody holds: while it lives it takes it again with its next beat."""


class Owners:
    """This process as an owner of runs, and what is known of the others."""

    def __init__(self, engine: Engine, home: Path | None, host: str | None = None) -> None:
        """Registers at once, or with its first news. Without a home there is no lock file."""
        self._engine = engine
        self._folder = None if home is None else home / "processes"
        self._host = platform.node() if host is None else host
        self._beaten = self._made_sure = float("-inf")
        self._unbroken = float("-inf")
        """Since when this process' own beats came through; its start is no gap."""
        self._edition: object = None
        self.id = secrets.token_hex(16)
        self._lock = self._locked()
        self._presence = Presence(engine, self.id)
        try:
            self.beat()
        except StoreError as error:
            # Locked or full for now: earlier runs can be read, and what is new is tried again.
            log.info("not registered yet: %s", error)
        except BaseException:
            self._presence.close()
            self._release()
            raise

    def beat(self) -> None:
        """Say that this process lives; does so at most every `BEAT_S`."""
        if time.monotonic() - self._made_sure >= BEAT_S:
            self._made_sure = time.monotonic()
            self._presence.hold()
        if time.monotonic() - self._beaten >= BEAT_S:
            with writing(self._engine) as connection:
                self.beat_within(connection)

    def beat_within(self, connection: Connection) -> None:
        """The same as part of a transaction that is under way."""
        edition = connection.info.get(EDITION)
        if time.monotonic() - self._beaten < BEAT_S and edition == self._edition:
            return
        row = {"id": self.id, "host": self._host, "pid": os.getpid(), "seen_at": _now(connection)}
        statement = insert(connection, processes).values(row)
        seen = {"seen_at": statement.excluded.seen_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=seen))
        now = time.monotonic()
        if float("-inf") < self._beaten < now - UNHELD_S:
            self._unbroken = now
        self._beaten, self._edition = now, edition

    def alive(self, connection: Connection, owner: str) -> bool:
        """Whether the process of that id, this one or another, is still there."""
        if owner == self.id:
            return True
        row = connection.execute(select(processes).where(processes.c.id == owner)).first()
        if row is None:
            return False
        lock = None if self._folder is None else self._folder / f"{owner}.lock"
        here = lock is not None and row.host == self._host and lock.exists()
        if lock is not None and here and taken(lock):
            return True
        if connection.dialect.name != "postgresql":
            return not here and not self._silent(connection, row.seen_at, SILENT_S)
        if held(connection, owner):
            return not self._silent(connection, row.seen_at, SILENT_S)
        return not here and self._may_come_back(connection, row.seen_at)

    def _may_come_back(self, connection: Connection, seen_at: float) -> bool:
        """Of a process whose lock is free: whether it only lost its connection, as far as can be
        told."""
        restarted = restarted_at(connection)
        if seen_at < restarted and _now(connection) - restarted < SILENT_S:
            # Nobody holds a lock from before that, and not everybody has come back yet.
            return True
        return not self._silent(connection, seen_at, UNHELD_S)

    def _silent(self, connection: Connection, seen_at: float, limit_s: float) -> bool:
        """Whether a process was silent for so long, although it could have been heard."""
        now = time.monotonic()
        heard = now - self._beaten < UNHELD_S and now - self._unbroken >= SILENT_S
        return heard and _now(connection) - seen_at >= limit_s

    def gone(self, connection: Connection) -> list[str]:
        """The processes that have ended without signing off."""
        found = connection.execute(select(processes.c.id)).scalars().all()
        return [owner for owner in found if not self.alive(connection, owner)]

    def forget(self, connection: Connection, owners: Iterable[str]) -> None:
        """Drop the rows and lock files of those that are gone, looked at once more."""
        for owner in owners:
            if not self.alive(connection, owner):
                connection.execute(delete(processes).where(processes.c.id == owner))
                if self._folder is not None:
                    (self._folder / f"{owner}.lock").unlink(missing_ok=True)

    def close(self) -> None:
        """Sign off; the runs that this process has not ended are interrupted from now on."""
        signed_off = False
        self._presence.close()
        try:
            with writing(self._engine) as connection:
                connection.execute(delete(processes).where(processes.c.id == self.id))
            signed_off = True
        finally:
            # While its row stays, only a lock file that nobody holds tells others at once.
            self._release(remove=signed_off)

    def _locked(self) -> FileLock | None:
        if self._folder is None:
            return None
        lock = FileLock(self._folder / f"{self.id}.lock")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return lock if lock.take() else None
        except OSError:
            # A shared database and a home that can't be written: the heartbeat has to do.
            return None

    def _release(self, *, remove: bool = True) -> None:
        if self._lock is not None:
            self._lock.release(remove=remove)


def _now(connection: Connection) -> float:
    """Unix time, by the one clock that all processes of a database share."""
    if connection.dialect.name != "postgresql":
        return time.time()
    now = select(extract("epoch", func.clock_timestamp()))
    return float(connection.execute(now).scalar_one())
