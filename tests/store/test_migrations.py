"""Every release's database is led up to today's, with all that is in it and a copy made first."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select, text

from fanout.errors import SettingsError
from fanout.store.database import postgresql_engine, reading, sqlite_engine, writing
from fanout.store.migrations import HEAD, REVISIONS
from fanout.store.opening import address
from fanout.store.schema import WORDS, metadata
from fanout.store.store import Store
from tests.folding import folded
from tests.store.samples import events, update

COLUMNS = {
    "runs": (
        "number, id, workflow, title, kind, topic, status, started_at, written_at, wall_s, "
        "sequential_s, cost_nano, free, branches, failed, events"
    ),
    "calls": (
        "run, id, ordinal, role, title, endpoint, model, state, text, queued_s, first_token_s, "
        "finished_s, attempts, input_tokens, output_tokens, cost_nano, failure"
    ),
    "timeline": "run, first, count, data",
}
"""What the first revision knows: later ones must add to it without being told."""


def config(connection: Connection) -> Config:
    made = Config()
    made.set_main_option("script_location", "fanout.store:migrations")
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def engine_of(home: Path, url: str) -> Engine:
    home.mkdir(exist_ok=True)
    return postgresql_engine(address(url)) if url else sqlite_engine(home / "fanout.db")


def older(home: Path, url: str, revision: str, tmp_path: Path) -> None:
    """A database as the release of that revision left it, with one run in it.

    It is larger than a home may become in the test of a full disk.
    """
    source = tmp_path / "source"
    with Store.open(source) as store:
        store.write([update(events(topic="Über Wolken"))])
        with reading(store._engine) as connection:
            rows = {
                table: connection.execute(text(f"SELECT {columns} FROM {table}")).mappings().all()
                for table, columns in COLUMNS.items()
            }
    engine = engine_of(home, url)
    with writing(engine) as connection:
        command.upgrade(config(connection), revision)
        for table, columns in COLUMNS.items():
            values = ", ".join(f":{name.strip()}" for name in columns.split(","))
            statement = text(f"INSERT INTO {table} ({columns}) VALUES ({values})")
            for row in rows[table]:
                known = dict(row)
                if url and "free" in known:
                    known["free"] = bool(known["free"])
                connection.execute(statement, known)
        if url:
            connection.execute(text("SELECT setval('runs_number_seq', 1)"))
        if revision >= "0002":
            connection.execute(text("UPDATE runs SET name = 'Mein Lauf', notes = 'wichtig'"))
            connection.execute(text("INSERT INTO tags (run, tag) VALUES (1, 'demo')"))
        if revision >= "0003":
            words = WORDS[engine.dialect.name]
            connection.execute(
                words.insert().values(run=1, topic="uber wolken", texts="rain", label="mein lauf")
            )
    engine.dispose()


def test_the_list_of_revisions_is_what_alembic_finds(tmp_path: Path) -> None:
    with sqlite_engine(tmp_path / "x.db").connect() as connection:
        script = ScriptDirectory.from_config(config(connection))
        found = [revision.revision for revision in script.walk_revisions()]
        connection.engine.dispose()
    assert tuple(reversed(found)) == REVISIONS


def test_the_migrations_lead_to_exactly_the_schema(store: Store) -> None:
    with reading(store._engine) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "target_metadata": metadata,
                "include_name": lambda name, kind, _: (
                    kind != "table" or not str(name).startswith(("run_words", "alembic"))
                ),
            },
        )
        assert compare_metadata(context, metadata) == []
        words = {column["name"] for column in inspect(connection).get_columns("run_words")}
    assert words | {"rowid"} >= set(WORDS[store._engine.dialect.name].columns.keys()) - {"run"}


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_every_older_database_is_upgraded_with_all_that_is_in_it(
    fanout_home: Path, store_url: str, tmp_path: Path, revision: str
) -> None:
    older(fanout_home, store_url, revision, tmp_path)
    with Store.open(fanout_home, store_url) as store:
        assert store.problems == ()
        run = store.load("run-0001")
        assert run is not None
        assert run.problem == ""
        assert [b.text for b in run.snapshot.branches] == [
            b.text for b in folded(events(topic="Über Wolken")).branches
        ]
        assert run.label.name == ("Mein Lauf" if revision >= "0002" else "")
        assert run.label.tags == (("demo",) if revision >= "0002" else ())
        words = WORDS[store._engine.dialect.name]
        with reading(store._engine) as connection:
            searched = connection.execute(select(words.c.topic, words.c.label)).one()
        assert searched.topic == "uber wolken"
        assert searched.label == ("mein lauf wichtig" if revision == "0002" else searched.label)
        store.write([update(events("run-0002"))])
        assert store.claim("run-0001")
        assert store.interrupt() == ()
    if not store_url:
        after = REVISIONS[REVISIONS.index(revision) + 1]
        assert revision_of(fanout_home / f"fanout-before-{after}.db") == revision
        assert revision_of(fanout_home / "fanout.db") == HEAD


def revision_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] >= 1
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_a_copy_from_an_earlier_try_is_not_written_over(fanout_home: Path, tmp_path: Path) -> None:
    older(fanout_home, "", "0001", tmp_path)
    (fanout_home / "fanout-before-0002.db").write_bytes(b"the first copy")
    Store.open(fanout_home).close()
    assert (fanout_home / "fanout-before-0002.db").read_bytes() == b"the first copy"
    assert revision_of(fanout_home / "fanout-before-0002-2.db") == "0001"


def test_without_room_for_the_copy_nothing_is_upgraded(fanout_home: Path, tmp_path: Path) -> None:
    older(fanout_home, "", "0001", tmp_path)
    path = fanout_home / "fanout.db"
    before = path.read_bytes()
    code = (
        "import resource, signal, sys; from pathlib import Path;"
        "from fanout.errors import SettingsError; from fanout.store.store import Store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))\n"
        "try: Store.open(Path(sys.argv[1]))\n"
        "except SettingsError as error: print(error)"
    )
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run(
        [sys.executable, "-c", code, str(fanout_home)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "The database was left as it is" in said
    assert path.read_bytes() == before
    assert sorted(p.name for p in fanout_home.glob("*.db*")) == ["fanout.db"]
    assert revision_of(path) == "0001"


def test_an_upgrade_that_fails_half_way_changes_nothing(fanout_home: Path, tmp_path: Path) -> None:
    older(fanout_home, "", "0001", tmp_path)
    path = fanout_home / "fanout.db"
    with closing(sqlite3.connect(path)) as connection:
        # Stands in the way of the last revision only.
        connection.execute("CREATE INDEX runs_by_wall ON runs (wall_s)")
        connection.commit()
    with pytest.raises(SettingsError, match=r"runs_by_wall.*left as it is"):
        Store.open(fanout_home)
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert revision_of(path) == "0001"
    assert not tables & {"tags", "run_words", "verdicts"}
