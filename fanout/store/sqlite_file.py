"""The SQLite file before it is used: checked, copied, or set aside where it is damaged."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from fanout.errors import SettingsError
from fanout.store.database import DAMAGED_MARK, busy, code
from fanout.store.migrations import REVISIONS

FILE = "fanout.db"
LOCKED_S = 3.0
"""How long another program may hold the database while it is opened."""
CHECKED_MB = 64
"""Up to this size a file is checked from end to end every time, else only after a crash."""


def looked_at(path: Path) -> str | None:
    """The revision of a file that is whole; None where there is nothing yet."""
    if not path.exists() or not path.stat().st_size:
        return None
    mark = path.with_name(path.name + DAMAGED_MARK)
    crashed = path.with_name(path.name + "-wal").exists() or mark.exists()
    with _patient(), closing(sqlite3.connect(path, timeout=LOCKED_S)) as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master").fetchall()
        }
        if crashed or path.stat().st_size <= CHECKED_MB * 1_000_000:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                error = sqlite3.DatabaseError(said)
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error
        with suppress(OSError):
            mark.unlink(missing_ok=True)
        if "alembic_version" in tables:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    if tables:
        raise SettingsError(
            f"{FILE} in FANOUT_HOME is a database of something else. Move it away, or set "
            "FANOUT_HOME to another folder."
        )
    return None


@contextmanager
def _patient() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if not busy(error):
            raise
        raise SettingsError(
            f"Another program holds the database of runs ({FILE} in FANOUT_HOME). Close it, then "
            "start Fanout again."
        ) from None


def set_aside(path: Path) -> str:
    """Move a damaged file away with all that belongs to it; the name says when."""
    aside = _free_name(path, f"fanout-damaged-{time.strftime('%Y-%m-%d-%H%M%S')}")
    try:
        for ending in ("-wal", "-shm", ""):
            part = path.with_name(path.name + ending)
            if part.exists():
                part.replace(aside.with_name(aside.name + ending))
        path.with_name(path.name + DAMAGED_MARK).unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The database of runs ({FILE} in FANOUT_HOME) is damaged and can't be moved away: "
            f"{error.strerror}. Move it away by hand."
        ) from None
    return (
        f"The database of runs was damaged. It was set aside as {aside.name} in FANOUT_HOME, with "
        "all runs up to now in it, and a new one was begun."
    )


def copied(path: Path, revision: str) -> None:
    """A copy of the file as it is before an upgrade; it stays."""
    after = REVISIONS[REVISIONS.index(revision) + 1]
    copy = _free_name(path, f"fanout-before-{after}")
    partial = copy.with_name(copy.name + ".part")
    try:
        partial.unlink(missing_ok=True)
        with (
            _patient(),
            closing(sqlite3.connect(path, timeout=LOCKED_S)) as connection,
            closing(sqlite3.connect(partial)) as target,
        ):
            connection.backup(target)
        partial.replace(copy)
    except (sqlite3.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        megabytes = path.stat().st_size / 1e6
        full = code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC
        why = "the disk is full" if full else "it can't be written"
        raise SettingsError(
            f"The database of runs has to be upgraded, and the copy that is made first needs "
            f"{megabytes:.0f} MB in FANOUT_HOME: {why}. The database was left as it is."
        ) from None


def _free_name(path: Path, stem: str) -> Path:
    number = 1
    while (free := path.with_name(stem + (f"-{number}" if number > 1 else "") + ".db")).exists():
        number += 1
    return free
