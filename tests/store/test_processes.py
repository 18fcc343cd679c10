"""Several processes on one record: nothing lost, nothing done twice, and nobody's run taken."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from fanout.errors import StoreError
from fanout.store.database import reading, writing
from fanout.store.owners import Owners
from fanout.store.schema import processes, runs
from fanout.store.store import Store
from fanout.store.values import Update
from fanout.types import ENDED_WITH_FANOUT, BranchState, RunStatus
from tests import folding
from tests.store import samples

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def writer(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.store.writer", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def half(store: Store, run_id: str = "run-0001") -> Update:
    told = samples.events(run_id)
    news = samples.update(told, until=len(told) // 2)
    store.write([news])
    return news


def test_two_processes_write_whole_runs_at_once(
    open_store: Callable[[], Store], fanout_home: Path, store_url: str
) -> None:
    store = open_store()
    with (
        writer(str(fanout_home), "one", "5", store_url) as first,
        writer(str(fanout_home), "two", "5", store_url) as second,
    ):
        assert (first.wait(120), second.wait(120)) == (0, 0)
    for name in ("one", "two"):
        for number in range(5):
            kept = store.load(f"{name}-{number}")
            assert kept is not None
            assert kept.snapshot.status is RunStatus.SUCCEEDED
    assert store.interrupt() == ()


def test_a_killed_process_leaves_an_interrupted_run(
    store: Store, fanout_home: Path, store_url: str
) -> None:
    with writer(str(fanout_home), "run-0001", "half", store_url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        alive = store.load("run-0001")
        assert alive is not None
        assert (alive.live, alive.snapshot.status) == (True, RunStatus.RUNNING)
        assert store.interrupt() == ()
        assert not store.claim("run-0001")
        with pytest.raises(StoreError, match="Another process"):
            store.write([samples.update(samples.events("run-0001"), alive.written)])
        process.kill()
        process.wait(10)
    assert store.interrupt() == ("run-0001",)
    assert store.interrupt() == ()
    ended = store.load("run-0001")
    assert ended is not None
    assert (ended.live, ended.snapshot.status) == (False, RunStatus.INTERRUPTED)
    assert ended.snapshot.at == alive.snapshot.at
    for before, after in zip(alive.snapshot.calls, ended.snapshot.calls, strict=True):
        assert after.text == before.text
        if not before.state.finished:
            assert (after.state, after.failure) == (BranchState.STOPPED, ENDED_WITH_FANOUT)
            assert after.cost is None
    assert store.claim("run-0001")
    with reading(store._engine) as connection:
        assert len(connection.execute(select(processes)).all()) == 1
    assert len(list((fanout_home / "processes").iterdir())) == 1


def test_a_run_that_lacked_only_the_note_of_its_end_has_succeeded(
    open_store: Callable[[], Store],
) -> None:
    gone, store = open_store(), open_store()
    told = samples.events()
    gone.write([samples.update(told, until=len(told) - 1)])
    gone.close()
    assert store.interrupt() == ("run-0001",)
    assert (run := store.load("run-0001")) is not None
    assert run.snapshot.status is RunStatus.SUCCEEDED
    assert run.snapshot.calls == folding.folded(told).calls


def test_a_process_that_ends_well_leaves_its_run_to_the_next(
    open_store: Callable[[], Store],
) -> None:
    first, second = open_store(), open_store()
    half(first)
    assert second.interrupt() == ()
    first.close()
    assert second.interrupt() == ("run-0001",)


def test_a_run_is_interrupted_once_by_however_many(open_store: Callable[[], Store]) -> None:
    gone = open_store()
    names = [f"run-{number:04}" for number in range(6)]
    for name in names:
        half(gone, name)
    stores = [open_store(), open_store()]
    gone.close()
    ended: list[str] = []
    start = threading.Barrier(len(stores))

    def interrupt(store: Store) -> None:
        start.wait(10)
        ended.extend(store.interrupt())

    threads = [threading.Thread(target=interrupt, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ended) == names
    for name in names:
        kept = stores[0].load(name)
        assert kept is not None
        assert [type(event).__name__ for event in kept.events].count("RunFinished") == 1


def test_a_process_of_another_machine_lives_while_its_heart_beats(store: Store) -> None:
    half(store)
    elsewhere = Owners(store._engine, None, host="elsewhere")
    with writing(store._engine) as connection:
        connection.execute(update(runs).values(owner=elsewhere.id))
    assert store.interrupt() == ()
    assert not store.claim("run-0001")
    with writing(store._engine) as connection:
        silent = processes.c.seen_at - 31
        mine = processes.c.id == elsewhere.id
        connection.execute(update(processes).where(mine).values(seen_at=silent))
    assert store.interrupt() == ("run-0001",)


def test_a_process_that_was_only_asleep_learns_that_its_run_was_ended(
    open_store: Callable[[], Store],
) -> None:
    asleep, other = open_store(), open_store()
    first = half(asleep)
    with writing(other._engine) as connection:
        connection.execute(processes.delete())
    # Its lock still tells that it lives, where there is one; elsewhere only the heart would.
    other._owners._folder = None
    assert other.interrupt() == ("run-0001",)
    with pytest.raises(StoreError):
        asleep.write([samples.update(samples.events("run-0001"), len(first.events))])
    assert (kept := other.load("run-0001")) is not None
    assert kept.snapshot.status is RunStatus.INTERRUPTED


def test_a_run_that_nobody_knows_cannot_be_claimed(store: Store) -> None:
    assert not store.claim("run-0001")
    assert store.load("run-0001") is None
    assert store.events_since("run-0001", 0) == ()
