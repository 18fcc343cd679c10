"""A batch's rate counts from the moment it went on, and a try is a real beginning."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import update

from fanout.batches import BatchState, RowState
from fanout.store.database import writing
from fanout.store.schema_batches import batch_rows, batches
from fanout.store.store import Store
from fanout.types import BatchId, RunId
from tests.store.test_batches import FAILED, end_next, started, topics


def long_since(store: Store, seconds: float) -> None:
    """All that has happened to rows so far did so that much earlier."""
    earlier = {
        "started_at": batch_rows.c.started_at - seconds,
        "finished_at": batch_rows.c.finished_at - seconds,
    }
    with writing(store._engine) as connection:
        connection.execute(update(batch_rows).values(earlier))


def _paused(store: Store, batch: BatchId) -> None:
    store.batches.pause(batch)
    store.batches.resume(batch)


def _stopped(store: Store, batch: BatchId) -> None:
    store.batches.stop(batch)
    store.batches.resume(batch)


def _ended(store: Store, batch: BatchId) -> None:
    for _ in range(4):
        end_next(store, batch)
    long_since(store, 100)


def _retried(store: Store, batch: BatchId) -> None:
    _ended(store, batch)
    assert store.batches.retry(batch, [RowState.FAILED]) == 1


def _added(store: Store, batch: BatchId) -> None:
    _ended(store, batch)
    assert store.batches.add(batch, topics(6)) == 6


@pytest.mark.parametrize("goes_on", [_paused, _stopped, _retried, _added])
def test_the_rate_counts_from_the_moment_that_a_batch_goes_on(
    store: Store, goes_on: Callable[[Store, BatchId], None]
) -> None:
    batch = started(store, 6)
    end_next(store, batch, FAILED)
    end_next(store, batch)
    long_since(store, 100)
    shown = store.batches.progress(batch)
    assert shown.rows_per_minute is None, "no row of this stretch has ended"
    goes_on(store, batch)
    shown = store.batches.progress(batch)
    assert store.batches.states([batch]) == {batch: BatchState.RUNNING}
    assert (shown.recent, shown.rows_per_minute) == (0, None)
    end_next(store, batch)
    if goes_on is not _retried:
        end_next(store, batch)
        shown = store.batches.progress(batch)
        assert shown.recent == 2
        assert shown.recent_s < 50, "the pause isn't counted"


def test_a_batch_that_waited_for_a_worker_tells_the_rate_from_its_first_row(store: Store) -> None:
    batch = started(store, 4)
    with writing(store._engine) as connection:
        connection.execute(update(batches).values(running_since=time.time() - 200))
    end_next(store, batch)
    end_next(store, batch)
    shown = store.batches.progress(batch)
    assert shown.recent == 2
    assert shown.recent_s < 100


def test_only_a_beginning_is_a_try(store: Store) -> None:
    batch = started(store, 2)
    store.batches.take(batch, 2)
    store.batches.pause(batch)
    store.batches.resume(batch)
    end_next(store, batch)
    end_next(store, batch, FAILED)
    assert [(row.go, row.tries) for row in store.batches.rows(batch)] == [(2, 1), (2, 1)]
    assert [point.tries for point in store.batches.points(batch)] == [1, 1]
    store.batches.retry(batch, [RowState.FAILED])
    (row,) = store.batches.take(batch, 1)
    for worker in ("w", "w", "other"):
        store.batches.begin(batch, 2, row.go, RunId("run"), worker)
    assert [one.tries for one in store.batches.rows(batch)] == [1, 3], "taken over once"
