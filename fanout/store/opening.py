"""Opens the record: makes it, upgrades it, sets a damaged one aside, never touches a newer one."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from threading import Lock

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from fanout.errors import SettingsError, StoreError
from fanout.store.database import (
    GONE,
    LOCK_MS,
    LOCKED,
    damaged,
    postgresql_engine,
    sqlite_engine,
    writing,
)
from fanout.store.file_lock import FileLock
from fanout.store.file_watch import FileWatch
from fanout.store.migrations import HEAD, REVISIONS
from fanout.store.sqlite_file import FILE, copied, looked_at, set_aside
from fanout.store.unreachable import Unreachable, unreachable

log = logging.getLogger(__name__)

LOCK = "fanout.lock"
MOST_COPIED_MB = 200
"""Earlier runs of a folder that can't be written are shown from memory up to this size."""
OPENING_S = 30.0
"""How long another process may take to upgrade the database."""
ADVISORY = 0x46616E6F7574
"""The lock that PostgreSQL's upgrades are made under: "Fanout"."""
_upgrading = Lock()
"""Alembic keeps what it works on in globals of its modules, so it does one database at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A database with today's tables."""

    engine: Engine
    problems: tuple[str, ...] = ()
    kept: bool = True
    watch: FileWatch | None = None
    """Of the file, where the database is one."""


def open_database(home: Path, url: str = "") -> Opened:
    """SQLite in `home`, or the PostgreSQL at `url`; SettingsError says why it can't be."""
    return _open_postgresql(url) if url else _open_sqlite(home)


def in_memory(*problems: str, past: Path | None = None) -> Opened:
    """A database that is gone with the process; `past` is one whose runs can still be read."""
    engine = sqlite_engine(None)
    if past is not None:
        _filled(engine, past)
    with writing(engine) as connection:
        _upgrade(connection)
    return Opened(engine=engine, problems=problems, kept=False)


def _filled(engine: Engine, past: Path) -> None:
    """With the runs of a file in a folder that can't be written, as far as that goes."""
    try:
        if not past.exists() or past.stat().st_size > MOST_COPIED_MB * 1_000_000:
            return
        with TemporaryDirectory(prefix="fanout-") as folder, engine.connect() as connection:
            # SQLite opens a file with a log only where it can write beside it.
            for ending in ("", "-wal"):
                part = past.with_name(past.name + ending)
                if part.exists():
                    copyfile(part, Path(folder) / part.name)
            revision = looked_at(Path(folder) / past.name)
            if revision is not None:
                _check_known(revision)
                with closing(sqlite3.connect(Path(folder) / past.name)) as source:
                    memory = connection.connection.driver_connection
                    assert memory is not None, "this engine has one connection, and it is open"
                    source.backup(memory)
    except (OSError, sqlite3.Error) as error:
        log.warning("the runs of earlier can't be read: %s", error)


def _open_sqlite(home: Path) -> Opened:
    lock = FileLock(home / LOCK)
    try:
        home.mkdir(parents=True, exist_ok=True)
        held = lock.take(OPENING_S)
    except OSError as error:
        why = _only_in_memory(error.strerror or "it can't be written")
        return in_memory(why, past=home / FILE)
    if not held:
        raise SettingsError(
            "Another Fanout is opening the database of runs and does not come to an end. "
            "End it, then start this one again."
        )
    try:
        return _open_file(home / FILE)
    except sqlite3.Error as error:
        return in_memory(_only_in_memory(str(error)), past=home / FILE)
    finally:
        lock.release()


def _open_file(path: Path) -> Opened:
    problems = []
    try:
        revision = looked_at(path)
    except sqlite3.DatabaseError as error:
        if not damaged(error):
            raise
        problems.append(set_aside(path))
        revision = None
    _check_known(revision)
    if revision is not None and revision != HEAD:
        copied(path, revision)
    engine = sqlite_engine(path)
    if revision != HEAD:
        try:
            with writing(engine) as connection:
                _upgrade(connection)
        except (StoreError, DBAPIError) as error:
            engine.dispose()
            raise SettingsError(_not_upgraded(error)) from None
    watch = FileWatch(engine, path, lambda: _made_anew(path))
    return Opened(engine=engine, problems=tuple(problems), watch=watch)


def _made_anew(path: Path) -> None:
    """An empty record where the file was deleted under this process; StoreError."""
    lock = FileLock(path.with_name(LOCK))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not lock.take(LOCK_MS / 1000):
            raise StoreError(LOCKED)
        try:
            if path.exists():
                return
            for ending in ("-wal", "-shm"):
                # They belong to the file that is gone.
                path.with_name(path.name + ending).unlink(missing_ok=True)
            engine = sqlite_engine(path)
            with writing(engine) as connection:
                _upgrade(connection)
            engine.dispose()
        finally:
            lock.release()
    except OSError:
        raise StoreError(GONE) from None


def _not_upgraded(error: StoreError | DBAPIError) -> str:
    why = str(error)
    if isinstance(error, DBAPIError):
        why = f"The database of runs ({FILE} in FANOUT_HOME) can't be upgraded: {error.orig}."
    return f"{why} The database was left as it is."


def _check_known(revision: str | None) -> None:
    if revision is not None and revision not in REVISIONS:
        raise SettingsError(
            f"The database of runs was written by a newer Fanout (it is at {revision[:20]}, this "
            f"one knows up to {HEAD}). Update Fanout, or set FANOUT_HOME to another folder."
        )


def _only_in_memory(why: str) -> str:
    return (
        f"FANOUT_HOME can't be used for the database of runs: {why}. New runs are kept only until "
        "Fanout ends. Set FANOUT_HOME to a folder that can be written and has room."
    )


def _open_postgresql(url: str) -> Opened:
    engine = postgresql_engine(address(url))
    try:
        with writing(engine) as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{OPENING_S:.0f}s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY})"))
            revision = _revision(connection)
            _check_known(revision)
            if revision != HEAD:
                _upgrade(connection)
    except SettingsError:
        engine.dispose()
        raise
    except (StoreError, DBAPIError) as error:
        engine.dispose()
        raise Unreachable(unreachable(engine.url, error)) from None
    return Opened(engine=engine)


def address(url: str) -> URL:
    """Its text never reaches an error: it may hold a password."""
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in (
        "postgres",
        "postgresql",
        "postgresql+psycopg",
    ):
        raise SettingsError(
            "FANOUT_DATABASE_URL is no address of a PostgreSQL database. It looks like "
            "postgresql://user:password@host:5432/name; a special character in the password is "
            "written as % and two digits. Without it, runs are kept in FANOUT_HOME."
        )
    return parsed.set(drivername="postgresql+psycopg")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    """To today's tables, in the transaction of the caller."""
    # Loads in a third of a second, which a database that needs nothing should not cost.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "fanout.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with _upgrading:
        command.upgrade(config, "head")
