"""Several processes on one record: nothing lost, nothing done twice, and nobody's run taken."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time

import pytest
from sqlalchemy import select, text, update

from fanout.errors import StoreError
from fanout.people import PersonId
from fanout.store.database import reading, writing
from fanout.store.owners import SILENT_S, UNHELD_S, Owners
from fanout.store.presence import held, restarted_at
from fanout.store.schema import processes, runs
from fanout.store.store import Store
from fanout.store.values import InFlight, Update
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


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
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


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_killed_process_with_another_home_is_known_to_be_gone_within_seconds(
    store: Store, tmp_path: Path, store_url: str
) -> None:
    """No lock file of it is here, and it may be on any machine."""
    with writer(str(tmp_path / "other-home"), "run-0001", "half", store_url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        sleep_till_silent = monotonic() + UNHELD_S + 1
        assert store.interrupt() == ()
        process.kill()
        process.wait(10)
        while not store.interrupt():
            store.beat()
            assert monotonic() < sleep_till_silent + 2, "its lock was not given back"
            sleep(0.1)
    ended = store.load("run-0001")
    assert ended is not None and ended.snapshot.status is RunStatus.INTERRUPTED


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_process_that_holds_its_lock_lives_however_long_its_last_beat_takes(
    store: Store,
) -> None:
    half(store)
    elsewhere = Owners(store._engine, None, host="elsewhere")
    with writing(store._engine) as connection:
        connection.execute(update(runs).values(owner=elsewhere.id))
        late = processes.c.seen_at - (UNHELD_S + 1)
        connection.execute(
            update(processes).where(processes.c.id == elsewhere.id).values(seen_at=late)
        )
    assert store.interrupt() == (), "busy, but there"
    elsewhere._presence.close()
    assert store.interrupt() == ("run-0001",), "nothing says that it is there"


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_after_a_restart_of_the_server_every_process_has_time_to_come_back(store: Store) -> None:
    half(store)
    elsewhere = Owners(store._engine, None, host="elsewhere")
    elsewhere._presence.close()
    with writing(store._engine) as connection:
        connection.execute(update(runs).values(owner=elsewhere.id))
        before = text("seen_at = extract(epoch FROM pg_postmaster_start_time()) - 100")
        connection.execute(
            text(f"UPDATE processes SET {before} WHERE id = :id"), {"id": elsewhere.id}
        )
    began = restarted_at_of(store)
    if time() - began < SILENT_S - 5:
        assert store.interrupt() == ()


def restarted_at_of(store: Store) -> float:
    with reading(store._engine) as connection:
        return restarted_at(connection)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_who_lost_only_the_connection_of_its_lock_takes_it_again(store: Store) -> None:
    owners = store._owners
    with reading(store._engine) as connection:
        assert held(connection, owners.id)
    with writing(store._engine) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND pid <> pg_backend_pid()"
            )
        )
    until = monotonic() + 20

    def is_held() -> bool:
        with reading(store._engine) as connection:
            return held(connection, owners.id)

    while is_held():
        assert monotonic() < until
        sleep(0.02)
    while not is_held():
        assert monotonic() < until, "it never came back"
        store.beat()
        sleep(0.05)


def test_what_was_written_later_is_read_without_the_beginning(
    open_store: Callable[[], Store],
) -> None:
    here, there = open_store(), open_store()
    told = samples.events()
    here.write([samples.update(told, until=5)])
    here.write([samples.update(told, 5, until=9)])
    news = there.later("run-0001", 5)
    assert news is not None and news.events == tuple(told[5:9])
    assert (news.live, news.owner, news.written) == (True, here.owner, 9)
    same = there.later("run-0001", 9)
    assert same is not None and same.events == ()
    between = there.later("run-0001", 7)
    assert between is not None and between.events is None, "no chunk begins there"
    assert there.later("nothing", 0) is None
    here.write([samples.update(told, 9)])
    over = there.later("run-0001", 9)
    assert over is not None and not over.running and over.events is None, "made one when it ended"


def test_runs_in_flight_are_counted_over_all_processes_but_the_dead(
    open_store: Callable[[], Store],
) -> None:
    one, two, three = open_store(), open_store(), open_store()
    half(one, "run-0001")
    half(two, "run-0002")
    assert three.turns.elsewhere(PersonId("")).of_person == 2
    assert three.turns.elsewhere(PersonId("else")) == InFlight(of_person=0, of_all=2)
    assert one.turns.elsewhere(PersonId("")).of_all == 1
    two.close()
    assert one.turns.elsewhere(PersonId("")).of_all == 0


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_turn_is_one_processs_at_a_time(open_store: Callable[[], Store]) -> None:
    one, two = open_store(), open_store()
    with one.turns.turn(), pytest.raises(StoreError), two.turns.turn():
        pass
    with two.turns.turn():
        pass
