"""A database in trouble under runs that go on: nothing shown is lost once the trouble ends."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from fanout.engine.handle import RunHandle
from fanout.engine.scribe import Scribe
from fanout.providers.script import Reply
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import BranchId, RunStatus
from tests.rig import Rig, rig, script, trio

LONG = "Once there was a branch that wrote with care and at length. " * 4
SLOW = script(
    Reply(text=LONG, tokens_per_s=60), joke=Reply(text="Soon over."), combine=Reply(text="All.")
)
JOKE, POEM = BranchId("joke"), BranchId("poem")


@contextmanager
def app(home: Path) -> Iterator[tuple[Rig, Scribe]]:
    with Store.open(home) as store, rig(SLOW, store=store) as here:
        assert here.engine.scribe is not None
        yield here, here.engine.scribe


def begun(here: Rig) -> RunHandle:
    """A run whose first branch has ended and whose others write."""
    handle = here.start(trio())
    until(lambda: handle.snapshot.branch(JOKE).state.succeeded)
    until(lambda: bool(handle.snapshot.branch(POEM).text))
    return handle


def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    limit = monotonic() + timeout_s
    while not holds():
        assert monotonic() < limit, "it did not come to that"
        sleep(0.02)


def check_kept(home: Path, shown: Snapshot) -> None:
    with Store.open(home) as store:
        stored = store.load(shown.run_id)
    assert stored is not None and not stored.problem
    assert stored.snapshot.status is shown.status
    assert stored.snapshot.calls == shown.calls


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Another program holds the database, as a backup tool may."""
    with closing(sqlite3.connect(home / "fanout.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_run_goes_on_while_the_database_is_locked(fanout_home: Path) -> None:
    with app(fanout_home) as (here, scribe):
        with locked(fanout_home):
            handle = begun(here)
            until(lambda: "Another program holds" in scribe.problem)
            shown = handle.wait(timeout_s=20)
            assert shown.status is RunStatus.SUCCEEDED
        until(lambda: not scribe.problem)
        assert scribe.flush(10)
        check_kept(fanout_home, shown)


def test_the_end_of_the_process_waits_for_a_lock_to_go(fanout_home: Path) -> None:
    free = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with locked(fanout_home):
            held.set()
            free.wait(2.5)

    with app(fanout_home) as (here, scribe):
        handle = begun(here)
        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(10)
        shown = handle.wait(timeout_s=20)
        assert shown.status is RunStatus.SUCCEEDED
    holder.join(20)
    assert scribe.problem == ""
    check_kept(fanout_home, shown)


def test_a_full_disk_is_told_and_made_good(fanout_home: Path) -> None:
    with app(fanout_home) as (here, scribe):
        store = here.engine._store
        assert store is not None
        with pages_left(store, 0):
            handle = here.start(trio(), "rain " * 2000)
            until(lambda: "disk is full" in scribe.problem)
            shown = handle.wait(timeout_s=20)
            assert shown.status is RunStatus.SUCCEEDED
        until(lambda: not scribe.problem)
        check_kept(fanout_home, shown)


@contextmanager
def pages_left(store: Store, pages: int) -> Iterator[None]:
    """Every connection of this store may make the file only so much longer."""
    from sqlalchemy import event

    limit = {"pages": True}

    def begin(connection: object) -> None:
        count = connection.exec_driver_sql("PRAGMA page_count").scalar()  # type: ignore[attr-defined]
        most = count + pages if limit["pages"] else 1 << 30
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")  # type: ignore[attr-defined]

    event.listen(store._engine, "begin", begin)
    yield
    limit["pages"] = False


@pytest.mark.parametrize("how", ["file", "folder"])
def test_a_database_deleted_in_mid_run_is_begun_anew_with_the_whole_run(
    fanout_home: Path, how: str
) -> None:
    with app(fanout_home) as (here, scribe):
        over = here.run(trio())
        handle = begun(here)
        if how == "file":
            (fanout_home / "fanout.db").unlink()
        else:
            shutil.rmtree(fanout_home)
        shown = handle.wait(timeout_s=20)
        assert shown.status is RunStatus.SUCCEEDED
        assert scribe.flush(10)
        assert not handle.outdated
        assert here.engine.get(over.run_id) is not None, "it is still in memory"
    check_kept(fanout_home, shown)


def test_a_database_that_turns_into_rubbish_in_mid_run_leaves_the_run_alone(
    fanout_home: Path,
) -> None:
    with app(fanout_home) as (here, scribe):
        handle = begun(here)
        (fanout_home / "fanout.db").write_bytes(b"no database at all" * 5000)
        for name in ("fanout.db-wal", "fanout.db-shm"):
            (fanout_home / name).unlink(missing_ok=True)
        shown = handle.wait(timeout_s=20)
        assert shown.status is RunStatus.SUCCEEDED
        assert here.run(trio()).status is RunStatus.SUCCEEDED
    with Store.open(fanout_home) as store:
        assert store.kept
        print(scribe.problem, store.problems)
