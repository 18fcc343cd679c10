"""The database of runs, DBOS's beside it, Redis; and who is at work on batches."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from fanout.batches import BatchState
from fanout.doctor.findings import Finding, Group
from fanout.errors import SettingsError
from fanout.settings import Settings
from fanout.store.database import postgresql_engine
from fanout.store.migrations import HEAD, REVISIONS
from fanout.store.opening import address
from fanout.store.schema_batches import batches, workers
from fanout.store.sqlite_file import FILE
from fanout.store.unreachable import unreachable

BATCHES_FILE = "batches.db"
SYSTEM_SCHEMA = "dbos"
APART_S = 2.0
TOO_FAR_APART_S = 15.0
"""Heartbeats are judged after 20 and 30 s, by one clock."""
SILENT_S = 20.0
REDIS_S = 3.0
_DATABASE = Group(name="Database")
_REDIS = Group(name="Redis")
_BATCHES = Group(name="Batches")


def database(settings: Settings) -> Iterator[Finding]:
    """Whether it can be reached, its tables, its clock, and the batches in it."""
    url = settings.database
    if not url:
        yield from _files(settings.home)
        return
    try:
        engine = postgresql_engine(address(url))
    except SettingsError as error:
        yield _DATABASE.broken(settings.placed(str(error)))
        return
    try:
        with engine.connect() as connection:
            yield from _server(connection)
            yield from _rows(connection)
    except SQLAlchemyError as error:
        why = settings.placed(unreachable(engine.url, error))
        yield _DATABASE.broken(why, settings.placed("Mend FANOUT_DATABASE_URL."))
    finally:
        engine.dispose()


def _server(connection: Connection) -> Iterator[Finding]:
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    url = connection.engine.url
    place = f"{url.database} at {url.host or 'localhost'}:{url.port or 5432}"
    yield _DATABASE.fine(f"PostgreSQL {version}, {place}")
    before = time.time()
    there = connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()
    yield _clocks(_DATABASE, float(there) - (before + time.time()) / 2, "the database")
    has = inspect(connection).has_table("alembic_version")
    yield _revision(_revision_in(connection) if has else None)
    if SYSTEM_SCHEMA in inspect(connection).get_schema_names():
        yield _BATCHES.fine(f"The tables of DBOS are there (schema {SYSTEM_SCHEMA})")
    else:
        yield from _may_make_schema(connection)


def _may_make_schema(connection: Connection) -> Iterator[Finding]:
    asked = text("SELECT has_database_privilege(current_database(), 'CREATE')")
    if connection.execute(asked).scalar_one():
        yield _BATCHES.note(
            f"The tables of DBOS (schema {SYSTEM_SCHEMA}) come with the first batch"
        )
    else:
        yield _BATCHES.warning(
            f"This user may not make the schema {SYSTEM_SCHEMA}, which batches need.",
            "As the database's owner: GRANT CREATE ON DATABASE ... TO ...",
        )


def _files(home: Path) -> Iterator[Finding]:
    # SQLite is told read-only by a file URI, and only a whole path has one.
    home = home.absolute()
    path = home / FILE
    if not path.exists():
        yield _DATABASE.note(f"SQLite: {FILE} in FANOUT_HOME is made at the first start")
    else:
        yield from _file(path)
    system = home / BATCHES_FILE
    if not system.exists():
        yield _BATCHES.note(f"{BATCHES_FILE} in FANOUT_HOME comes with the first batch")
        return
    try:
        with closing(sqlite3.connect(f"{system.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        yield _BATCHES.broken(
            f"{BATCHES_FILE} in FANOUT_HOME can't be read: {error}.",
            "Bring it back from a backup.",
        )
    else:
        yield _BATCHES.fine(f"{BATCHES_FILE} in FANOUT_HOME can be read")


def _file(path: Path) -> Iterator[Finding]:
    with _read_only(path) as engine:
        try:
            with engine.connect() as connection:
                size = path.stat().st_size / 1_000_000
                yield _DATABASE.fine(f"SQLite: {path} ({size:,.1f} MB)")
                has = inspect(connection).has_table("alembic_version")
                yield _revision(_revision_in(connection) if has else None)
                yield from _rows(connection)
        except SQLAlchemyError as error:
            said = getattr(error, "orig", None) or "it is no database"
            yield _DATABASE.broken(
                f"{FILE} in FANOUT_HOME can't be read: {said}.",
                "Start the app: it sets a damaged file aside. Or bring one back from a backup.",
            )


@contextmanager
def _read_only(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path.as_uri()}?mode=ro&uri=true", hide_parameters=True)
    try:
        yield engine
    finally:
        engine.dispose()


def _revision_in(connection: Connection) -> str | None:
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _revision(found: str | None) -> Finding:
    if found is None:
        return _DATABASE.note("There are no tables yet; the first start makes them")
    if found == HEAD:
        return _DATABASE.fine(f"Its tables are today's ({HEAD})")
    if found in REVISIONS:
        return _DATABASE.note(
            f"Its tables are of an earlier Fanout ({found}; today's are {HEAD})",
            "Back it up. The next start upgrades it.",
        )
    return _DATABASE.broken(
        f"It was written by a newer Fanout ({found[:20]}; this one knows up to {HEAD}).",
        "Update Fanout here too.",
    )


def _rows(connection: Connection) -> Iterator[Finding]:
    """Open batches and who is there to carry them out."""
    have = inspect(connection)
    if not (have.has_table(batches.name) and have.has_table(workers.name)):
        return
    running = BatchState.RUNNING.value
    going = select(func.count()).select_from(batches).where(batches.c.state == running)
    count = int(connection.execute(going).scalar_one())
    alive = (
        select(func.count()).select_from(workers).where(workers.c.seen_at > time.time() - SILENT_S)
    )
    working = int(connection.execute(alive).scalar_one())
    said = f"{_count(count, 'batch', 'batches')} running, {_count(working, 'worker')} at work"
    if count and not working:
        yield _BATCHES.warning(
            f"{said}.", "Start the app or `python -m fanout worker` with this database."
        )
    else:
        yield _BATCHES.fine(said)


def redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url is None:
        if settings.database:
            yield _REDIS.note("Not set: rates are counted in the PostgreSQL database")
        return
    url = settings.redis_url.reveal()
    try:
        with Redis.from_url(url, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S) as server:
            before = time.time()
            seconds, millionths = server.time()
            version = server.info("server").get("redis_version", "")
            apart = seconds + millionths / 1e6 - (before + time.time()) / 2
    except (RedisError, ValueError, OSError) as error:
        yield _REDIS.broken(
            f"It does not answer ({type(error).__name__}), so limits hold for each process alone.",
            "Start it, or mend FANOUT_REDIS_URL.",
        )
        return
    yield _REDIS.fine(f"Redis {version} answers")
    yield _clocks(_REDIS, apart, "Redis")


def _clocks(group: Group, apart_s: float, whose: str) -> Finding:
    said = f"The clock of {whose} differs by {abs(apart_s):.1f} s"
    todo = "Let both machines set their clocks by NTP."
    if abs(apart_s) > TOO_FAR_APART_S:
        return group.broken(f"{said}: living processes may be taken for gone.", todo)
    return group.warning(f"{said}.", todo) if abs(apart_s) > APART_S else group.fine(said)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
