"""Workers take over what others leave, also of those that were taken for gone before their time."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from fanout.batch import durable as durable_module
from fanout.batch.durable import Durable
from fanout.batch.takeover import in_hand
from fanout.batch.worker import Worker
from fanout.batches import RowState
from fanout.providers.script import Reply
from fanout.types import BatchId
from tests.batch.hall import NAMES, Hall, hall, script
from tests.batch.workers import workers

PACE = script(Reply(text="One two three four five six.", first_token_s=0.2, tokens_per_s=50))
SLOW = script(Reply(text="One two three. " * 4, tokens_per_s=10))


def test_a_worker_that_was_silent_for_a_while_is_taken_over_once_it_is_really_gone(
    fanout_home: Path, tmp_path: Path
) -> None:
    with hall(fanout_home, "", PACE) as at, workers(at.environment, tmp_path / "log") as team:
        batch = at.batch(30, concurrency=6)
        silent = team.start()
        at.until(lambda: bool(_rows_of(at, batch, silent)), "rows of the first worker")
        owner = _owner(at, silent)
        with at.worker() as worker:
            at.until(lambda: worker._takeover is not None, "a second worker")
            takeover = worker._takeover
            assert takeover is not None
            at.store.batches.leave(owner)
            at.until(lambda: owner in takeover._recovered, "the mistake")
            # It is alive, and says so with its next beat.
            at.until(lambda: _rows_of(at, batch, silent) > 1 and _alive(at, silent), "its return")
            _killed_with_rows(at, batch, silent)
            team.alive.remove(silent)
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 30}


def test_a_row_that_another_worker_took_over_is_put_down(fanout_home: Path, tmp_path: Path) -> None:
    with hall(fanout_home, "", SLOW) as at, workers(at.environment, tmp_path / "log") as team:
        batch = at.batch(2)
        with at.worker() as worker:
            at.until(lambda: len(at.server.requests) == 6, "the branches' calls")
            durable = _durable(worker)
            # From now on only the other worker takes rows.
            durable._take_no_more()
            team.start()
            durable.recover([worker._store.owner])
            at.until_finished(batch)
            at.until(lambda: not worker._desk.keys, "nothing in hand")
        assert len(at.server.requests) == 2 * 4


def test_a_worker_that_waits_for_its_queues_says_that_it_lives(
    fanout_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanout.batch.heartbeat.BEAT_S", 0.1)
    with hall(fanout_home, "") as at, at.worker() as worker:
        at.until_finished(at.batch(1))
        with _locked(fanout_home / durable_module.FILE):
            other = at.batch(1)
            before = _seen_at(at)
            at.until(lambda: _seen_at(at) > before + 1.0, "signs of life", timeout_s=5)
            assert at.states(other) == {RowState.WAITING: 1}
        assert worker.notes == ()
        at.until_finished(other)


def test_the_sweep_asks_once_for_all_rows_of_a_batch(fanout_home: Path) -> None:
    with hall(fanout_home, "", SLOW) as at, at.worker() as worker:
        batch = at.batch(40, concurrency=1)
        at.until(lambda: at.states(batch)[RowState.QUEUED] > 15, "rows in the queue")
        takeover, engine = worker._takeover, _durable(worker)._engine
        assert takeover is not None
        assert engine is not None
        with _counted(engine) as asked:
            takeover.sweep([at.get(batch)])
            takeover.sweep([at.get(batch)])
        assert 1 <= len(asked) // 2 <= 3, asked
        assert at.states(batch)[RowState.WAITING] < 25


def test_a_workflow_that_nobody_carries_out_takes_no_place_of_others(
    fanout_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row at a time: if the lost one stayed in the durable engine, no other would begin."""
    monkeypatch.setattr("fanout.batch.worker.SWEEP_S", 0.2)
    with hall(fanout_home, "", SLOW) as at:
        batch = at.batch(2, concurrency=1)
        with at.worker() as worker:
            at.until(lambda: at.states(batch)[RowState.RUNNING] == 1, "the first row")
            (key,) = in_hand(worker._store, batch, RowState.RUNNING)
        # As by a worker of a version that is not there any more.
        with sqlite3.connect(fanout_home / durable_module.FILE) as connection:
            changed = connection.execute(
                "UPDATE workflow_status SET application_version = 'fanout-batch-0',"
                " executor_id = 'nobody' WHERE workflow_uuid = ?",
                [":".join(map(str, key))],
            )
            assert changed.rowcount == 1
        connection.close()
        with at.worker():
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 2}
        assert [at.asked(f"Write a {name}", 2) for name in NAMES] == [1, 1, 1]


def _killed_with_rows(at: Hall, batch: BatchId, pid: int) -> None:
    """Stopped first, so that it has them for certain when it dies."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        if _rows_of(at, batch, pid):
            os.kill(pid, signal.SIGKILL)
            return
        os.kill(pid, signal.SIGCONT)
        at.until(lambda: bool(_rows_of(at, batch, pid)), "a row of it")


def _owner(at: Hall, pid: int) -> str:
    (found,) = [one.id for one in at.store.batches.workers() if one.pid == pid]
    return found


def _alive(at: Hall, pid: int) -> bool:
    return any(one.alive for one in at.store.batches.workers() if one.pid == pid)


def _rows_of(at: Hall, batch: BatchId, pid: int) -> int:
    owner = next((one.id for one in at.store.batches.workers() if one.pid == pid), None)
    going = [row for row in at.rows(batch) if row.state is RowState.RUNNING]
    return sum(row.worker == owner for row in going)


def _durable(worker: Worker) -> Durable:
    assert worker._durable is not None
    return worker._durable


def _seen_at(at: Hall) -> float:
    return max(one.seen_at for one in at.store.batches.workers())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Nobody can write there meanwhile."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@contextmanager
def _counted(engine: Engine) -> Iterator[list[str]]:
    """What this thread asks there."""
    asked: list[str] = []
    here = threading.get_ident()

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == here:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", count)
