"""Two apps on one record: each sees the other's runs, neither ends them, one takes over a dead one.

A process of Fanout is a store and an engine of its own; where one is killed it is a real process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import delete

from fanout.engine.handle import RunHandle
from fanout.engine.watched import WatchedRun
from fanout.events import BranchWrote, RunResumed
from fanout.providers.script import Fault, Reply, Script
from fanout.store.database import writing
from fanout.store.schema import runs
from fanout.store.store import Store
from fanout.store.values import Question
from fanout.types import BranchId, BranchState, RunStatus
from tests.crash.victims import SCRIPT, START_S, WORDS, Job, victims, workflow
from tests.rig import QUICK, Rig, rig, script, trio

POEM = BranchId("poem")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    found = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    assert isinstance(found, str)
    return found


@contextmanager
def app(home: Path, url: str, told: Script) -> Iterator[Rig]:
    with Store.open(home, url) as store:
        store.interrupt()
        with rig(told, store=store) as here:
            yield here


def opened(here: Rig, run_id: str) -> RunHandle:
    handle = here.engine.get(run_id)
    assert handle is not None
    return handle


def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    limit = monotonic() + timeout_s
    while not holds():
        assert monotonic() < limit, "it did not come to that"
        sleep(0.02)


def test_two_apps_run_at_once_and_see_each_others_runs(fanout_home: Path, url: str) -> None:
    with app(fanout_home, url, SCRIPT) as one:
        mine = one.start(workflow(), "mine")
        with app(fanout_home, url, SCRIPT) as two:
            theirs = two.start(workflow(), "theirs")
            watched = opened(two, mine.id)
            assert isinstance(watched, WatchedRun)
            assert watched.fixed and not watched.resume()
            grown = len(watched.snapshot.branch(POEM).text)
            until(lambda: len(watched.snapshot.branch(POEM).text) > grown)
            assert mine.wait(timeout_s=20).status is RunStatus.SUCCEEDED
            assert theirs.wait(timeout_s=20).status is RunStatus.SUCCEEDED
            until(lambda: opened(two, mine.id).snapshot.status.finished)
            seen = opened(two, mine.id)
            assert not seen.fixed, "it is over there, so that it can be asked again here"
            assert seen.snapshot.calls == mine.snapshot.calls
            store = two.engine._store
            assert store is not None
            rows = store.history.find(Question()).rows
            assert {row.id for row in rows} == {mine.id, theirs.id}
            assert len(one.provider.requests) == len(two.provider.requests) == 4


def test_whoever_follows_a_run_of_another_app_gets_to_its_end(fanout_home: Path, url: str) -> None:
    with app(fanout_home, url, SCRIPT) as one, app(fanout_home, url, SCRIPT) as two:
        mine = one.start(workflow(), "mine")
        watched = opened(two, mine.id)
        events = list(watched.follow())
        assert watched.wait(timeout_s=1).status is RunStatus.SUCCEEDED
        assert events[-1] == mine.events[-1]
        written = [e.text for e in events if isinstance(e, BranchWrote) and e.id == POEM]
        assert "".join(written) == WORDS["poem"]


def test_a_killed_apps_run_is_interrupted_and_carried_on_by_the_other(
    fanout_home: Path, url: str
) -> None:
    with app(fanout_home, url, SCRIPT) as here:
        store = here.engine._store
        assert store is not None
        job = Job(home=str(fanout_home), url=url, topic="rain", lives_s=START_S, sees_ends=1)
        watched: list[RunHandle] = []

        def watch() -> None:
            until(lambda: bool(store.history.find(Question()).rows), START_S)
            watched.append(opened(here, store.history.find(Question()).rows[0].id))

        watcher = threading.Thread(target=watch)
        watcher.start()
        (dead,) = victims([job])
        watcher.join(20)
        assert isinstance(watched[0], WatchedRun)
        until(lambda: opened(here, dead.run_id).snapshot.status is RunStatus.INTERRUPTED)
        handle = opened(here, dead.run_id)
        assert handle.snapshot.branch(BranchId("joke")).state is BranchState.DONE
        assert handle.resume()
        assert handle.wait(timeout_s=20).status is RunStatus.SUCCEEDED
        assert len(here.provider.requests) == 2 + 1


def test_two_apps_that_resume_one_run_at_once_leave_it_whole(fanout_home: Path, url: str) -> None:
    broken = script(QUICK, poem=Reply(status=400, message="no"))
    mended = script(QUICK, poem=Reply(text="A poem at last.", tokens_per_s=20))
    with app(fanout_home, url, broken) as here:
        run_id = here.run(trio()).run_id
    with app(fanout_home, url, mended) as one, app(fanout_home, url, mended) as two:
        handles = [opened(one, run_id), opened(two, run_id)]
        start = threading.Barrier(2)
        begun: list[bool] = []

        def resume(handle: RunHandle) -> None:
            start.wait(10)
            begun.append(handle.resume())

        threads = [threading.Thread(target=resume, args=(handle,)) for handle in handles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert any(begun)
        for here in (one, two):
            until(lambda: opened(here, run_id).snapshot.status is RunStatus.SUCCEEDED)  # noqa: B023
        if all(begun):
            assert sum(handle.outdated for handle in handles) == 1, "one of them says so"
        told = [opened(here, run_id).events for here in (one, two)]
    with Store.open(fanout_home, url) as store:
        stored = store.load(run_id)
    assert stored is not None and not stored.problem
    assert [type(e) for e in stored.events].count(RunResumed) == 1
    assert stored.snapshot.branch(POEM).text == "A poem at last."
    assert stored.snapshot.branch(POEM).earlier[0].state is BranchState.FAILED
    assert len(told[0]) > 0


def test_a_run_that_went_on_elsewhere_lets_go_of_those_who_wait(fanout_home: Path) -> None:
    stalled = script(QUICK, poem=Reply(fault=Fault.STALL_FIRST))
    with app(fanout_home, "", stalled) as one:
        handle = one.start(trio())
        until(lambda: len(one.provider.requests) == 3)
        follower = threading.Thread(target=lambda: list(handle.follow()))
        follower.start()
        store = one.engine._store
        assert store is not None
        with writing(store._engine) as connection:
            connection.execute(delete(runs))
        handle.stop(BranchId("story"))
        handle.stop(POEM)
        follower.join(10)
        assert not follower.is_alive()
        handle.wait(timeout_s=10)
        assert handle.outdated
