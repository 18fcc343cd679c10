"""The record opens whatever it finds, touches nothing of others, and says what is wrong."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from sqlalchemy import event, text

from fanout.errors import SettingsError, StoreError
from fanout.store import opening, sqlite_file
from fanout.store.database import reading, writing
from fanout.store.store import Store
from tests.rig import free_port
from tests.store.postgres import PASSWORD, QUOTED
from tests.store.samples import events, news, update


def kept(home: Path) -> None:
    """A record with one run, closed again."""
    with Store.open(home) as store:
        store.write([update(events())])


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir() if path.is_file()}


def test_a_new_home_gets_a_record(fanout_home: Path) -> None:
    kept(fanout_home)
    assert names(fanout_home) == {"fanout.db", "fanout.lock"}
    assert list((fanout_home / "processes").iterdir()) == []
    with Store.open(fanout_home) as store:
        assert (store.problems, store.kept) == ((), True)
        assert store.load("run-0001") is not None


@pytest.mark.parametrize("bad", [b"", b"no database at all" * 100])
def test_a_damaged_file_is_set_aside_and_named(fanout_home: Path, bad: bytes) -> None:
    kept(fanout_home)
    whole = (fanout_home / "fanout.db").read_bytes()
    # As after a power cut: the end of the file is something else.
    broken = (bad + whole[len(bad) :]) if bad else whole[: len(whole) // 2]
    (fanout_home / "fanout.db").write_bytes(broken)
    with Store.open(fanout_home) as store:
        assert len(store.problems) == 1
        aside = next(name for name in names(fanout_home) if name.startswith("fanout-damaged-2"))
        assert aside in store.problems[0]
        assert (fanout_home / aside).read_bytes() == broken
        assert store.kept
        assert store.load("run-0001") is None
        store.write([update(events("run-0002"))])
    with Store.open(fanout_home) as store:
        assert store.problems == ()
        assert store.load("run-0002") is not None


def test_damage_that_shows_up_later_is_told_and_mended_by_a_restart(
    fanout_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for a file too large to be checked from end to end at each start.
    monkeypatch.setattr(sqlite_file, "CHECKED_MB", 0)
    kept(fanout_home)
    path = fanout_home / "fanout.db"
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'calls'"
        ((page,), (size,)) = (connection.execute(q).fetchone() for q in (query, "PRAGMA page_size"))
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(data)
    with Store.open(fanout_home) as store:
        assert store.problems == ()
        with pytest.raises(StoreError, match="damaged"):
            store.write([update(events("run-0002"))])
    with Store.open(fanout_home) as store:
        assert "set aside" in store.problems[0]


def test_a_crash_leaves_a_record_that_opens(fanout_home: Path, tmp_path: Path) -> None:
    with Store.open(fanout_home) as store:
        store.write([update(events())])
        # What a killed process leaves behind: the file and its log as they are.
        other = tmp_path / "after"
        other.mkdir()
        for name in ("fanout.db", "fanout.db-wal"):
            (other / name).write_bytes((fanout_home / name).read_bytes())
    with Store.open(other) as store:
        assert store.problems == ()
        assert store.load("run-0001") is not None


def test_a_newer_record_is_refused_and_left_alone(
    fanout_home: Path, open_store: Callable[[], Store], store_url: str
) -> None:
    store = open_store()
    with writing(store._engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    path = fanout_home / "fanout.db"
    before = path.read_bytes() if not store_url else b""
    with pytest.raises(SettingsError, match="newer Fanout"):
        open_store()
    if not store_url:
        assert path.read_bytes() == before
        assert names(fanout_home) == {"fanout.db", "fanout.lock"}


def test_another_programs_database_is_left_alone(fanout_home: Path) -> None:
    fanout_home.mkdir()
    with closing(sqlite3.connect(fanout_home / "fanout.db")) as connection:
        connection.execute("CREATE TABLE recipes (title)")
    before = (fanout_home / "fanout.db").read_bytes()
    with pytest.raises(SettingsError, match="something else"):
        Store.open(fanout_home)
    assert (fanout_home / "fanout.db").read_bytes() == before


@pytest.mark.parametrize("where", ["a file is in the way", "a folder that nobody can make"])
def test_a_home_that_cannot_be_written_keeps_runs_in_memory(tmp_path: Path, where: str) -> None:
    home = Path("/proc/fanout-home")
    if where == "a file is in the way":
        (tmp_path / "file").write_text("")
        home = tmp_path / "file" / "home"
    with Store.open(home) as store:
        assert not store.kept
        assert "only until Fanout ends" in store.problems[0]
        check_works(store)


def test_a_record_in_memory_works_from_several_threads() -> None:
    with Store.in_memory() as store:
        assert not store.kept
        check_works(store)


def check_works(store: Store) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for one in news(events(name)):
                store.write([one])
                store.load(name)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"run-{n:04}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert store.load("run-0002") is not None


def test_several_processes_may_make_the_record_at_once(fanout_home: Path, store_url: str) -> None:
    code = (
        "import sys; from pathlib import Path; from fanout.store.store import Store; "
        "store = Store.open(Path(sys.argv[1]), sys.argv[2]); print(store.problems, store.kept); "
        "store.close()"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code, str(fanout_home), store_url]
    started = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0] for process in started] == ["() True\n"] * 3


def test_a_locked_record_is_told_at_once_and_written_later(
    store: Store, fanout_home: Path, store_url: str
) -> None:
    told = events()
    store.write([update(told, until=10)])
    if store_url:
        with psycopg.connect(store_url) as other:
            other.execute("LOCK TABLE timeline IN EXCLUSIVE MODE")
            refused(store, told)
            other.rollback()
    else:
        with closing(sqlite3.connect(fanout_home / "fanout.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused(store, told)
            other.execute("ROLLBACK")
    store.write([update(told, 10)])
    assert (run := store.load("run-0001")) is not None
    assert run.written == len(told)


def refused(store: Store, told) -> None:
    began = monotonic()
    with pytest.raises(StoreError, match="holds the database"):
        store.write([update(told, 10)])
    assert monotonic() - began < 1.5
    run = store.load("run-0001")
    assert run is not None
    assert run.written == 10


def test_a_record_that_is_held_while_it_is_opened_says_so(
    fanout_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "LOCKED_S", 0.1)
    monkeypatch.setattr(opening, "OPENING_S", 0.1)
    kept(fanout_home)
    with closing(sqlite3.connect(fanout_home / "fanout.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SettingsError, match="Another program holds"):
            Store.open(fanout_home)
        other.execute("ROLLBACK")


def test_a_full_disk_writes_nothing_by_halves(fanout_home: Path) -> None:
    with Store.open(fanout_home) as store:
        store.write([update(events())])
        with reading(store._engine) as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()

        def limit(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 3}")

        event.listen(store._engine, "connect", limit)
        store._engine.dispose()
        large = update(events("run-0002", branches=12, tokens=500))
        with pytest.raises(StoreError, match="disk is full"):
            store.write([large])
        assert store.load("run-0002") is None
        assert store.load("run-0001") is not None
        event.remove(store._engine, "connect", limit)
        store._engine.dispose()
        store.write([large])
        assert store.load("run-0002") is not None


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:hunter2@localhost/x",
        "postgresql://me:hunter2@localhost:port/x",
        "hunter2",
        "sqlite:///hunter2.db",
        "postgresql+asyncpg://me:hunter2@localhost/x",
        "://hunter2",
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_it(fanout_home: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="FANOUT_DATABASE_URL is no address") as caught:
        Store.open(fanout_home, url)
    assert "hunter2" not in str(caught.value)
    assert not fanout_home.exists()


def test_a_server_that_does_not_answer_is_named_without_its_password(fanout_home: Path) -> None:
    port = free_port()
    with pytest.raises(SettingsError, match=f"x at 127.0.0.1:{port}.*nothing answers") as caught:
        Store.open(fanout_home, f"postgresql://me:hunter2@127.0.0.1:{port}/x")
    assert "hunter2" not in str(caught.value)


def test_a_wrong_password_or_database_is_told_apart(
    fanout_home: Path, postgres_address: str
) -> None:
    wrong = postgres_address.replace(QUOTED, "hunter2")
    with pytest.raises(SettingsError, match="refuses this user or password") as caught:
        Store.open(fanout_home, f"{wrong}/postgres")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="does not exist") as caught:
        Store.open(fanout_home, f"{postgres_address}/nowhere")
    assert PASSWORD not in str(caught.value)
    assert QUOTED not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_way_to_write_the_address_works(
    fanout_home: Path, postgres_url: str, scheme: str
) -> None:
    with Store.open(fanout_home, postgres_url.replace("postgresql", scheme, 1)) as store:
        store.write([update(events())])
        assert store.kept
        assert PASSWORD not in repr(store._engine)
    assert not (fanout_home / "fanout.db").exists()


def test_a_database_where_nothing_may_be_made_is_told(
    fanout_home: Path, postgres_address: str, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    guest = postgres_url.replace(f"fanout:{QUOTED}", "guest:guest")
    try:
        with pytest.raises(SettingsError, match="may not make tables"):
            Store.open(fanout_home, guest)
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("DROP ROLE guest")


def test_a_server_that_was_restarted_is_used_again(fanout_home: Path, postgres_url: str) -> None:
    with Store.open(fanout_home, postgres_url) as store:
        store.write([update(events())])
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        store.write([update(events("run-0002"))])
        assert store.load("run-0002") is not None
