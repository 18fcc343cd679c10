"""Nothing that is over takes the place of what is to come, or stays in the durable engine."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fanout.batch.durable import FILE
from fanout.batches import RowState
from fanout.providers.script import Reply
from fanout.types import BatchId
from tests.batch.hall import QUICK, Hall, hall, script
from tests.batch.workers import workers

SLOW = script(Reply(text="One two three. " * 4, tokens_per_s=10))


def test_a_pause_costs_none_of_the_rows_per_minute(fanout_home: Path) -> None:
    with hall(fanout_home, "", QUICK) as at, at.worker() as worker:
        batch = at.batch(30, concurrency=20, rows_per_minute=60)
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= 3, "the first portion")
        at.store.batches.pause(batch)
        at.store.batches.resume(batch)
        before = at.states(batch)[RowState.SUCCEEDED]
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= before + 3, "more rows")
        assert worker._durable is not None
        ended = len(worker._durable.known(batch))
        # Those that were queued before the pause came first, one a second and all in vain.
        assert ended - at.states(batch)[RowState.SUCCEEDED] <= 4


def test_a_command_that_ends_with_its_batch_leaves_no_checkpoints(fanout_home: Path) -> None:
    with hall(fanout_home, "", QUICK) as at:
        with at.worker():
            batch = at.batch(12)
            at.until_finished(batch)
        assert _left(at, batch) == (0, 0)


def test_what_a_killed_worker_left_of_a_deleted_batch_is_cleared_by_the_next(
    fanout_home: Path, tmp_path: Path
) -> None:
    with hall(fanout_home, "", SLOW) as at:
        with workers(at.environment, tmp_path / "log") as team:
            batch = at.batch(12, concurrency=2)
            killed = team.start()
            at.until(lambda: at.states(batch)[RowState.RUNNING] == 2, "two rows")
            team.kill(killed)
        at.store.batches.stop(batch)
        at.store.batches.delete(batch)
        assert _left(at, batch) == (12, 1)
        with at.worker():
            at.until_finished(at.batch(1))
            at.until(lambda: _left(at, batch) == (0, 0), "the clearing")


def _left(at: Hall, batch: BatchId) -> tuple[int, int]:
    """Workflows and queues of that batch."""
    connection = sqlite3.connect(at.home / FILE)
    try:
        of = [f"batch-{batch}"]
        rows = connection.execute("SELECT count(*) FROM workflow_status WHERE queue_name = ?", of)
        queues = connection.execute("SELECT count(*) FROM queues WHERE name = ?", of)
        return int(rows.fetchone()[0]), int(queues.fetchone()[0])
    finally:
        connection.close()
