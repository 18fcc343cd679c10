"""A worker carries batches out row by row, and does what people ask of them meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from fanout.batches import FORMAT, BatchState, Row, RowState
from fanout.policies import Budget
from fanout.providers.script import Reply
from fanout.store.schema_batches import batches
from fanout.types import BranchState, EndpointId, FailureKind, ModelRef
from tests.batch.hall import DEFINITION, NAMES, QUICK, Hall, hall, script

SLOW = script(Reply(text="One two three. " * 20, tokens_per_s=20))
"""An answer takes three seconds."""
NO_POEM = script(
    Reply(text="One two three."), poem=(Reply(status=401, code="bad"), Reply(text="At last."))
)


def test_every_row_is_a_run_that_anybody_can_open(fanout_home: Path, store_url: str) -> None:
    with hall(fanout_home, store_url, QUICK) as at, at.worker():
        batch = at.batch(5)
        at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 5}
        assert len(at.server.requests) == 5 * 4
        for row in at.rows(batch):
            assert row.run_id is not None
            stored = at.store.load(row.run_id)
            assert stored is not None
            made = stored.snapshot.made_with
            assert made is not None
            assert made.row is not None
            assert (made.row.batch, made.row.number) == (batch, row.row.number)
            assert stored.snapshot.topic == row.row.topic
            assert row.result is not None
            assert row.result.answer == "One two three."


def test_a_worker_without_a_batch_loads_nothing_of_the_durable_engine(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at:
        code = (
            "import sys\n"
            "from fanout.batch.worker import Worker\n"
            "from fanout.engine.runtime import Runtime\n"
            "from fanout.settings import Settings\n"
            "with Runtime(Settings.from_environment()) as runtime:\n"
            "    worker = Worker(runtime, look_s=0.01)\n"
            "    worker.start()\n"
            "    while not runtime.store.batches.workers(): pass\n"
            "    worker.close()\n"
            "print('dbos' in sys.modules)\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env=at.environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.stdout.strip() == "False", ended.stderr


def test_a_pause_lets_rows_under_way_end_and_takes_no_other(fanout_home: Path) -> None:
    slow = script(Reply(text="One two three.", first_token_s=0.5))
    with hall(fanout_home, "", slow) as at, at.worker():
        batch = at.batch(8, concurrency=2)
        at.until(lambda: at.states(batch)[RowState.RUNNING] == 2, "two rows")
        at.store.batches.pause(batch)
        at.until(lambda: at.states(batch)[RowState.RUNNING] == 0, "their end")
        begun = at.states(batch)[RowState.SUCCEEDED]
        assert 2 <= begun <= 3
        assert at.states(batch) == {RowState.SUCCEEDED: begun, RowState.WAITING: 8 - begun}
        at.store.batches.resume(batch)
        at.until_finished(batch)
        assert len(at.server.requests) == 8 * 4


def test_a_stop_ends_rows_under_way_at_once_and_a_resume_goes_on_with_them(
    fanout_home: Path,
) -> None:
    mixed = script(Reply(text="Soon."), poem=(Reply(text="Late. " * 60, tokens_per_s=5), QUICK_ONE))
    with hall(fanout_home, "", mixed) as at, at.worker():
        batch = at.batch(1)

        def all_but_the_poem() -> bool:
            (row,) = at.rows(batch)
            stored = at.store.load(row.run_id) if row.run_id else None
            done = [b.id for b in stored.snapshot.branches if b.state.succeeded] if stored else []
            return sorted(done) == ["joke", "story"]

        at.until(all_but_the_poem, "two branches")
        before = time.monotonic()
        at.store.batches.stop(batch)
        at.until(lambda: at.states(batch)[RowState.STOPPED] == 1, "the stop")
        assert time.monotonic() - before < 10
        assert at.get(batch).state is BatchState.STOPPED
        at.store.batches.resume(batch)
        at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 1}
        assert [at.asked(f"Write a {name}") for name in NAMES] == [1, 1, 2]


QUICK_ONE = Reply(text="Quick.")


def test_only_what_failed_is_asked_again(fanout_home: Path) -> None:
    with hall(fanout_home, "", NO_POEM) as at, at.worker():
        batch = at.batch(1)
        at.until_finished(batch)
        (row,) = at.rows(batch)
        assert row.state is RowState.PARTIAL
        assert row.result is not None
        assert row.result.cause is FailureKind.AUTH
        assert at.store.batches.retry(batch, [RowState.PARTIAL, RowState.FAILED]) == 1
        at.until_finished(batch)
        (again,) = at.rows(batch)
        assert (again.state, again.run_id, again.go) == (RowState.SUCCEEDED, row.run_id, 2)
        assert [at.asked(f"Write a {name}") for name in NAMES] == [1, 1, 2]


def test_rows_can_be_added_while_it_runs_and_after_it_has_finished(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at, at.worker():
        batch = at.batch(2)
        at.store.batches.add(batch, [Row(number=1, topic="topic 3")])
        at.until_finished(batch)
        at.store.batches.add(batch, [Row(number=1, topic="topic 4")])
        at.until(lambda: at.states(batch) == {RowState.SUCCEEDED: 4}, "the end of the fourth")
        assert len(at.server.requests) == 4 * 4


def test_no_more_rows_are_in_flight_than_asked_for_even_when_that_changes(
    fanout_home: Path,
) -> None:
    slow = script(Reply(text="One two three.", first_token_s=0.1))
    with hall(fanout_home, "", slow) as at, at.worker():
        batch = at.batch(12, concurrency=1)
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= 2, "two rows")
        assert at.server.most_in_flight <= 3
        at.store.batches.change(batch, concurrency=5)
        at.until(lambda: at.states(batch)[RowState.RUNNING] > 2, "more rows at once")
        at.until_finished(batch)
        assert at.server.most_in_flight <= 15


def test_a_limit_per_minute_holds_rows_back(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at, at.worker():
        batch = at.batch(6, rows_per_minute=60)
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= 3, "the first portion")
        assert at.states(batch)[RowState.SUCCEEDED] < 6
        at.store.batches.change(batch, rows_per_minute=0)
        at.until_finished(batch)


def test_a_used_up_budget_pauses_the_batch_and_a_higher_one_lets_it_go_on(
    fanout_home: Path,
) -> None:
    with hall(fanout_home, "") as at, at.worker():
        definition = DEFINITION | {
            "branches": [
                {"id": n, "title": n, "prompt": f"Write a {n} about {{topic}}.", "max_tokens": 50}
                for n in NAMES
            ],
            "aggregate": {"prompt": "Combine.\n{results}", "max_tokens": 50},
        }
        batch = at.batch(12, concurrency=1, definition=definition, budget=Budget(tokens=800))
        at.until_state(batch, BatchState.PAUSED)
        at.until(lambda: at.states(batch)[RowState.RUNNING] == 0, "nothing under way")
        paused = at.get(batch)
        assert "budget" in paused.why.lower() or "cap" in paused.why.lower(), paused.why
        assert 0 < at.states(batch)[RowState.WAITING] < 12
        shown, spent = at.store.batches.progress(batch), at.store.spend.taken("", "", batch).batch
        assert shown.tokens_under(paused.budget) == spent.spent.tokens >= shown.tokens > 0
        at.store.batches.change(batch, budget=Budget(tokens=100_000))
        at.store.batches.resume(batch)
        at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 12}
        for number in range(1, 13):
            for name in NAMES:
                assert at.asked(f"Write a {name}", number) == 1


def test_a_batch_of_a_newer_version_is_left_alone_and_told_of(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at:
        newer, own = at.batch(2, start=False), at.batch(1, start=False)
        values = {"format": FORMAT + 1, "made_by": "9.9"}
        with at.store._engine.begin() as connection:
            connection.execute(update(batches).where(batches.c.id == newer).values(values))
        at.store.batches.resume(newer)
        at.store.batches.resume(own)
        with at.worker() as worker:
            at.until_finished(own)
            assert at.states(newer) == {RowState.WAITING: 2}
            (note,) = worker.notes
            assert "Topics" in note
            assert "9.9" in note


def test_a_definition_that_makes_no_sense_is_left_alone_and_told_of(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at:
        odd = at.batch(1, definition={"title": "Odd", "branches": []})
        own = at.batch(1)
        with at.worker() as worker:
            at.until_finished(own)
            assert at.states(odd) == {RowState.WAITING: 1}
            assert len(worker.notes) == 1


def test_a_worker_without_the_endpoint_leaves_the_batch_to_others(
    fanout_home: Path,
) -> None:
    with hall(fanout_home, "") as at:
        elsewhere = at.batch(4, model=ModelRef(endpoint=EndpointId("elsewhere"), model="m"))
        own = at.batch(1)
        with at.worker() as worker:
            at.until_finished(own)
            assert at.states(elsewhere) == {RowState.WAITING: 4}
            (note,) = worker.notes
            assert '"elsewhere"' in note


def test_a_topic_that_cant_be_run_fails_alone(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at, at.worker():
        batch = at.batch(1, start=False)
        at.store.batches.add(batch, [Row(number=1, topic="   ")])
        at.store.batches.resume(batch)
        at.until_finished(batch)
        good, bad = at.rows(batch)
        assert (good.state, bad.state) == (RowState.SUCCEEDED, RowState.FAILED)
        assert bad.result is not None
        assert "topic" in bad.result.message


def test_other_columns_are_variables_of_the_prompts(fanout_home: Path) -> None:
    definition = DEFINITION | {
        "variables": {"tone": "plain"},
        "branches": [
            {"id": "joke", "title": "Joke", "prompt": "A {tone} joke about {topic}."},
            {"id": "poem", "title": "Poem", "prompt": "A {tone} poem about {topic}."},
        ],
    }
    with hall(fanout_home, "") as at, at.worker():
        batch = at.batch(1, definition=definition, values={"tone": "merry", "other": "x"})
        at.until_finished(batch)
        assert at.asked("A merry joke about topic 1.") == 1


def test_a_worker_that_ends_leaves_its_rows_to_the_next_one(
    fanout_home: Path, store_url: str
) -> None:
    mixed = script(Reply(text="Soon."), poem=(Reply(text="Late. " * 60, tokens_per_s=5), QUICK_ONE))
    with hall(fanout_home, store_url, mixed) as at:
        batch = at.batch(1)

        def two_are_kept() -> bool:
            (row,) = at.rows(batch)
            stored = at.store.load(row.run_id) if row.run_id else None
            branches = stored.snapshot.branches if stored else ()
            return sum(one.state is BranchState.DONE for one in branches) == 2

        with at.worker():
            at.until(two_are_kept, "two branches")
        assert at.states(batch) == {RowState.RUNNING: 1}
        with at.worker():
            at.until_finished(batch)
        (row,) = at.rows(batch)
        assert (row.state, row.go) == (RowState.SUCCEEDED, 1)
        assert [at.asked(f"Write a {name}") for name in NAMES] == [1, 1, 2]


def test_the_definition_of_the_batch_counts_whatever_the_file_says_now(fanout_home: Path) -> None:
    folder = fanout_home / "workflows"
    folder.mkdir(parents=True)
    (folder / "trio.toml").write_text(
        'title = "Other"\n[[branches]]\nid = "other"\ntitle = "Other"\nprompt = "Other {topic}"\n',
        "utf-8",
    )
    with hall(fanout_home, "") as at:
        batch = at.batch(3, start=False)
        with at.store._engine.begin() as connection:
            made = update(batches).where(batches.c.id == batch).values(made_by="0.0.1")
            connection.execute(made)
        at.store.batches.resume(batch)
        with at.worker():
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 3}
        assert at.asked("Other") == 0


def test_a_worker_shows_itself_and_what_it_has_done(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at:
        with at.worker():
            batch = at.batch(3)
            at.until_finished(batch)
            (seen,) = at.store.batches.workers()
            assert (seen.alive, seen.done) == (True, 3)
        (seen,) = at.store.batches.workers()
        assert not seen.alive


@pytest.mark.parametrize("state", [RowState.QUEUED, RowState.RUNNING])
def test_a_row_that_no_durable_workflow_knows_of_is_taken_up_again(
    fanout_home: Path, state: RowState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a copy of the record was put back beside newer checkpoints, or older ones."""
    monkeypatch.setattr("fanout.batch.worker.SWEEP_S", 0.1)
    with hall(fanout_home, "") as at, at.worker():
        batch = at.batch(2)
        at.store.batches.pause(batch)
        at.until(lambda: at.states(batch)[RowState.RUNNING] == 0, "rest")
        at.store.batches.add(batch, [Row(number=1, topic="topic 9")])
        at.store.batches.resume(batch)
        at.until_finished(batch)
        (row,) = [one for one in at.rows(batch) if one.row.topic == "topic 9"]
        _forget(at, row.row.number, state)
        at.until(lambda: at.states(batch) == {RowState.SUCCEEDED: 3}, "all of them again")
        assert replace(row).run_id is not None


def _forget(at: Hall, number: int, state: RowState) -> None:
    from fanout.store.schema_batches import batch_rows

    with at.store._engine.begin() as connection:
        connection.execute(update(batches).values(state="running", finished_at=None))
        connection.execute(
            update(batch_rows)
            .where(batch_rows.c.number == number)
            .values(state=state.value, go=7, worker="nobody")
        )


def test_checkpoints_go_once_a_batch_is_at_rest(fanout_home: Path, store_url: str) -> None:
    with hall(fanout_home, store_url) as at, at.worker() as worker:
        batch = at.batch(3)
        at.until_finished(batch)
        durable = worker._durable
        assert durable is not None
        at.until(lambda: not durable.known(batch), "the clearing")
        at.store.batches.add(batch, [Row(number=1, topic="topic 4")])
        at.until(lambda: at.states(batch) == {RowState.SUCCEEDED: 4}, "the end of the fourth")
