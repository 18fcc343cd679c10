"""A run belongs to one process at a time: who has lost it asks nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text, update

from fanout.bounds import SHARED
from fanout.endpoint import Secret
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.people import Person, PersonId
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.store import turns
from fanout.store.database import reading, writing
from fanout.store.schema import runs
from fanout.store.store import Store
from fanout.types import ModelRef, RunId, RunStatus
from fanout.workflows.specs import AggregateSpec
from tests.processes.pair import ENDLESS, POEM, process
from tests.processes.waiting import until
from tests.rig import QUICK, Rig, script, trio

ADA, BOB = Person(id=PersonId("a" * 32)), Person(id=PersonId("b" * 32))
UNHURRIED = Script(otherwise=Reply(text="word " * 4000, tokens_per_s=20))
MORE = AggregateSpec(prompt="Combine: {results}")


@contextmanager
def shared(home: Path, url: str, endpoint: ServerHandle) -> Iterator[Runtime]:
    settings = Settings(
        home=home,
        base_url=endpoint.base_url,
        model="scripted",
        shared=True,
        bounds=replace(SHARED, runs_per_person=5),
        allowed_hosts=("127.0.0.1",),
        database_url=Secret(url),
    )
    with Runtime(settings) as whole:
        assert not whole.problems, whole.problems
        exchange = whole.engine._exchange
        assert exchange is not None
        until(lambda: exchange._watching.reaches, what="the line")
        yield whole


@pytest.fixture
def endpoint() -> Iterator[ServerHandle]:
    with serving(UNHURRIED) as server:
        yield server


@pytest.fixture
def apps(
    tmp_path: Path, postgres_url: str, endpoint: ServerHandle
) -> Iterator[tuple[Runtime, Runtime]]:
    with (
        shared(tmp_path / "one", postgres_url, endpoint) as one,
        shared(tmp_path / "two", postgres_url, endpoint) as other,
    ):
        yield one, other


def own(whole: Runtime, person: Person = ADA) -> Runtime:
    assert whole.visitors is not None
    return whole.visitors.of(person)


def begun(whole: Runtime) -> RunHandle:
    handle = own(whole).engine.start(
        trio(), "rain", ModelRef(endpoint=ENVIRONMENT, model="scripted")
    )
    until(lambda: bool(handle.snapshot.branch(POEM).text))
    return handle


def store_of(here: Rig) -> Store:
    assert here.engine._store is not None
    return here.engine._store


def give(run_id: str, store: Store) -> None:
    """As if that process had resumed it while this one was frozen."""
    with writing(store._engine) as connection:
        connection.execute(update(runs).where(runs.c.id == run_id).values(owner=store.owner))


def test_a_run_that_went_on_elsewhere_is_asked_no_more_here_though_nobody_looks(
    two: tuple[Rig, Rig],
) -> None:
    one, other = two
    mine = one.start(trio(), "endless")
    until(lambda: one.provider.streaming == 3 and store_of(other).load(mine.id) is not None)
    give(mine.id, store_of(other))
    until(lambda: not one.provider.streaming, what="its calls here")
    until(lambda: mine.newest.elsewhere, what="the board that holds its handle")


def test_a_person_sees_the_run_that_is_kept_and_not_the_one_that_was_lost(
    apps: tuple[Runtime, Runtime],
) -> None:
    one, other = apps
    mine = begun(one)
    give(mine.id, other.store)
    until(lambda: mine.outdated)
    seen = own(one).engine.get(mine.id)
    assert seen is not None and seen.elsewhere


def test_a_run_deleted_in_another_process_is_stopped_where_it_is_carried_out(
    apps: tuple[Runtime, Runtime], endpoint: ServerHandle
) -> None:
    one, other = apps
    mine = begun(one)
    there, bobs = own(other), own(other, BOB)
    bobs.engine.forget([mine.id])
    there.store.history.delete([RunId(mine.id)])
    there.engine.forget([mine.id])
    assert mine.wait(timeout_s=10).status is RunStatus.STOPPED


def test_nobody_elses_run_is_stopped_by_forgetting_it(apps: tuple[Runtime, Runtime]) -> None:
    one, other = apps
    mine, second = begun(one), begun(one)
    own(other, BOB).engine.forget([mine.id])
    # Whatever was sent came before this.
    own(other).engine.forget([second.id])
    assert second.wait(timeout_s=10).status is RunStatus.STOPPED
    assert not mine.snapshot.status.finished
    mine.stop()


def waiting_for_a_turn(store: Store) -> int:
    asked = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with reading(store._engine) as connection:
        return int(connection.execute(asked).scalar_one())


def ended(tmp_path: Path, url: str) -> RunId:
    """A run that lacks a poem."""
    with process(tmp_path / "before", url, script(QUICK, poem=ENDLESS)) as before:
        mine = before.start(trio(), "rain")
        until(lambda: bool(mine.snapshot.branch(POEM).text))
        mine.stop(POEM)
        assert mine.wait(20).status.finished
        return RunId(mine.id)


@pytest.mark.parametrize("act", ["resume", "combine"])
def test_pressed_in_two_processes_at_once_it_goes_on_in_one(
    tmp_path: Path, postgres_url: str, act: str
) -> None:
    slow = script(QUICK, combine=Reply(text="word " * 100, tokens_per_s=50))
    run_id = ended(tmp_path, postgres_url)
    with (
        process(tmp_path / "one", postgres_url, slow) as one,
        process(tmp_path / "two", postgres_url, slow) as other,
        Store.open(tmp_path / "three", postgres_url) as third,
        ThreadPoolExecutor() as pool,
    ):
        handles = [here.engine.get(run_id) for here in (one, other)]
        with third.turns.turn():
            for handle in handles:
                assert handle is not None
                pool.submit(handle.resume) if act == "resume" else handle.combine(MORE)
            # Both have claimed it by then.
            until(lambda: waiting_for_a_turn(third) == 2, turns.WAIT_MS / 1000)
        asked = [one.provider.requests, other.provider.requests]
        until(lambda: any(asked))
        slower = handles[1 if asked[0] else 0]
        assert slower is not None
        until(lambda: slower.newest.elsewhere, what="the slower one")
        seen = slower.newest.wait(20)
        assert len(seen.aggregates) == (1 if act == "resume" else 2)
        assert [len(one) for one in asked if one] == [2 if act == "resume" else 1], "paid once"
