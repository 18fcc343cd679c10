"""Two engines on one record, as two processes have them: what one sees of the other's live run.

Both ways to speak are tried, PostgreSQL and Redis, and neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import delete

from fanout.engine.watched import beyond
from fanout.events import BranchWrote, Event
from fanout.relay.database_line import DatabaseLine
from fanout.relay.post import Post
from fanout.store.database import writing
from fanout.store.schema import processes
from fanout.timeline import compact
from fanout.types import BranchState, RunStatus
from fanout.workflows.specs import AggregateSpec
from tests.processes.conftest import redis_on
from tests.processes.pair import ENDLESS, LONG, POEM, STORY, process, texts, watched
from tests.processes.waiting import until
from tests.rig import QUICK, Rig, free_port, script, trio
from tests.store import samples


@pytest.fixture(params=["postgresql", "redis"])
def redis(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("redis_url") if request.param == "redis" else ""


@pytest.fixture
def two(tmp_path: Path, postgres_url: str, redis: str) -> Iterator[tuple[Rig, Rig]]:
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(process(tmp_path / name, postgres_url, redis=redis))
            for name in ("one", "other")
        )
        yield one, other


def test_a_live_run_is_seen_elsewhere_word_for_word(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio())
    seen = watched(other, mine.id)
    assert not seen.fixed, "its buttons work here too"
    events = list(seen.follow())
    after = mine.wait(timeout_s=30)
    assert after.status is RunStatus.SUCCEEDED
    assert texts(seen.seen) == texts(after)
    assert [b.state for b in seen.seen.calls] == [b.state for b in after.calls]
    assert [b.pieces for b in seen.seen.calls] == [b.pieces for b in after.calls]
    assert abs(seen.now_s() - mine.now_s()) < 1.0
    # It came as it was written, and not once a second.
    pieces = [e for e in events if isinstance(e, BranchWrote) and e.id == POEM]
    assert len(pieces) > 6


def test_words_come_sooner_than_they_are_written_down(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio(), "endless")
    seen = watched(other, mine.id)
    store = other.engine._store
    assert store is not None

    def written() -> int:
        stored = store.load(mine.id)
        assert stored is not None
        return len(stored.snapshot.branch(POEM).text)

    # The record is asked last, so that it has every chance.
    until(lambda: len(seen.snapshot.branch(POEM).text) > written() > 0)
    mine.stop()


def test_stop_from_elsewhere_reaches_a_branch_and_the_run(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio())
    seen = watched(other, mine.id)
    until(lambda: bool(seen.snapshot.branch(STORY).text))
    seen.stop(STORY)
    until(lambda: mine.snapshot.branch(STORY).state is BranchState.STOPPED)
    assert mine.snapshot.branch(POEM).state is not BranchState.STOPPED
    seen.stop()
    assert mine.wait(timeout_s=10).status is RunStatus.STOPPED
    until(lambda: seen.snapshot.status is RunStatus.STOPPED)
    until(lambda: not one.provider.streaming)


def test_a_run_that_ended_there_is_carried_on_here_and_watched_there(
    two: tuple[Rig, Rig],
) -> None:
    one, other = two
    mine = one.start(trio())
    seen = watched(other, mine.id)
    until(lambda: bool(seen.snapshot.branch(STORY).text))
    seen.stop()
    until(lambda: seen.snapshot.status.finished)
    # The very handles that two boards hold.
    seen.retry()
    until(lambda: not seen.newest.snapshot.status.finished)
    until(lambda: mine.newest.elsewhere, what="the first process hearing of it")
    assert seen.newest.wait(timeout_s=30).status is RunStatus.SUCCEEDED
    until(lambda: mine.newest.snapshot.status is RunStatus.SUCCEEDED)
    assert texts(mine.newest.snapshot) == texts(seen.newest.snapshot)


def test_another_answer_can_be_asked_for_from_elsewhere(
    tmp_path: Path, postgres_url: str, redis: str
) -> None:
    slow = script(QUICK, poem=ENDLESS)
    with (
        process(tmp_path / "one", postgres_url, slow, redis=redis) as one,
        process(tmp_path / "two", postgres_url, slow, redis=redis) as other,
    ):
        mine = one.start(trio())
        seen = watched(other, mine.id)
        until(lambda: seen.snapshot.branch(STORY).state.succeeded)
        seen.combine(AggregateSpec(kind="concatenation", prompt="{results}"))
        until(lambda: bool(seen.snapshot.aggregates))
        until(lambda: seen.snapshot.aggregates[0].branch.state.succeeded)
        assert seen.snapshot.aggregates[0].text == mine.snapshot.aggregates[0].text
        mine.stop()


def test_a_deleted_run_is_stopped_wherever_it_is_carried_out(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio())
    watched(other, mine.id)
    other.engine.forget([mine.id])
    assert mine.wait(timeout_s=10).status is RunStatus.STOPPED


def test_what_a_dead_process_told_but_never_wrote_is_not_kept_for_true(
    two: tuple[Rig, Rig],
) -> None:
    """The record is behind what the watcher was told when that process dies."""
    one, other = two
    mine = one.start(trio(), "endless")
    seen = watched(other, mine.id)
    store, theirs = one.engine._store, other.engine._store
    assert store is not None and theirs is not None
    until(lambda: bool(seen.snapshot.branch(POEM).text))

    def is_ended() -> bool:
        # Whenever it says that it lives, that is taken back.
        with writing(store._engine) as connection:
            connection.execute(delete(processes).where(processes.c.id == store.owner))
        return seen.newest.snapshot.status is RunStatus.INTERRUPTED

    until(is_ended)
    stored = theirs.load(mine.id)
    assert stored is not None
    assert texts(seen.newest.snapshot) == texts(stored.snapshot)
    mine.stop()


def test_nobody_is_told_of_a_run_that_nobody_watches(two: tuple[Rig, Rig]) -> None:
    one, other = two
    exchange = one.engine._exchange
    assert exchange is not None and exchange._publishing is not None
    watchers = exchange._publishing._watchers
    mine = one.start(trio())
    until(lambda: bool(mine.snapshot.branch(POEM).text))
    assert not watchers
    seen = watched(other, mine.id)
    until(lambda: bool(watchers))
    mine.stop()
    until(lambda: seen.snapshot.status.finished)
    until(lambda: not watchers)


def test_without_a_line_the_record_is_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with process(home, "") as one, process(home, "") as other:
        mine = one.start(trio())
        seen = watched(other, mine.id)
        assert seen.fixed
        seen.wait(timeout_s=30)
        assert texts(seen.seen) == texts(mine.snapshot)


def test_a_lost_line_is_bridged_by_the_record_and_comes_back(
    tmp_path: Path, postgres_url: str
) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with ExitStack() as stack:
        server = stack.enter_context(redis_on(port))
        one = stack.enter_context(process(tmp_path / "one", postgres_url, redis=url))
        other = stack.enter_context(process(tmp_path / "two", postgres_url, redis=url))
        mine = one.start(trio(), "endless")
        seen = watched(other, mine.id)
        until(lambda: len(seen.snapshot.branch(POEM).text) > 50)
        server.kill()
        until(lambda: bool(seen.fixed), what="noticing it")
        have = len(mine.snapshot.branch(POEM).text) + 20
        until(lambda: len(seen.snapshot.branch(POEM).text) > have)
        stack.enter_context(redis_on(port))
        until(lambda: not seen.fixed, what="the line coming back")
        seen.stop()
        until(lambda: seen.snapshot.status is RunStatus.STOPPED)
        assert texts(seen.seen) == texts(mine.snapshot)


def test_a_lost_database_line_is_made_again(tmp_path: Path, postgres_url: str) -> None:
    import psycopg

    heard: list[object] = []
    changes: list[bool] = []
    post = Post(DatabaseLine(postgres_url), "me")
    post.open(heard.append, changes.append)
    try:
        until(lambda: post.up)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'fanout-relay'"
            )
        until(lambda: changes == [True, False, True])
    finally:
        post.close()


def test_a_text_longer_than_a_notification_arrives(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio(), "something long")
    seen = watched(other, mine.id)
    until(lambda: seen.snapshot.branch(STORY).state.succeeded)
    assert seen.seen.branch(STORY).text == LONG.text
    mine.stop()
    until(lambda: seen.snapshot.status is RunStatus.STOPPED)
    assert texts(seen.seen) == texts(mine.snapshot)


def test_what_is_known_is_told_apart_from_what_is_new_however_its_text_is_cut() -> None:
    told = samples.events()
    for cut in range(1, len(told)):
        known = told[:cut]
        rest = beyond(compact(told, 100.0), known)
        assert joined(rest) == joined(told[cut:])


def joined(events: Sequence[Event]) -> tuple[list[Event], dict[str, str]]:
    others: list[Event] = [e for e in events if not isinstance(e, BranchWrote)]
    words: dict[str, str] = {}
    for event in events:
        if isinstance(event, BranchWrote):
            words[event.id] = words.get(event.id, "") + event.text
    return others, words
