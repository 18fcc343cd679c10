"""Rows that are asked again, or come later, go on by themselves only where nobody halted them.

Whoever looks at a batch that stands still learns of them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.batches import BatchState, RowState
from fanout.store.store import Store
from fanout.types import BatchId, RunId, Via
from tests.store.test_batches import FAILED, NEW, end_next, started, topics

AGAIN = (RowState.FAILED, RowState.PARTIAL)


def halt(store: Store, batch: BatchId, state: BatchState) -> None:
    act = store.batches.pause if state is BatchState.PAUSED else store.batches.stop
    act(batch)


def changes(store: Store, batch: BatchId) -> int:
    found = store.batches.get(batch)
    assert found is not None
    return found.changed


HALTS = pytest.mark.parametrize("halted", [BatchState.PAUSED, BatchState.STOPPED])


@HALTS
def test_asking_a_few_rows_again_starts_none_of_the_others(
    store: Store, halted: BatchState
) -> None:
    batch = started(store, 5)
    end_next(store, batch, FAILED)
    end_next(store, batch)
    halt(store, batch, halted)
    before = changes(store, batch)
    assert store.batches.retry(batch, AGAIN) == 1
    assert store.batches.states([batch]) == {batch: halted}
    assert store.batches.progress(batch).halted_left == 4
    assert changes(store, batch) > before, "others look only where something has changed"


def test_where_no_other_row_waits_those_asked_again_go_on(store: Store) -> None:
    batch = started(store, 1)
    (row,) = store.batches.take(batch, 1)
    store.batches.begin(batch, 1, row.go, RunId("run-1"), "w")
    store.batches.stop(batch)
    assert store.batches.retry(batch, AGAIN) == 0
    store.batches.end(batch, 1, row.go, FAILED)
    assert store.batches.states([batch]) == {batch: BatchState.STOPPED}
    assert store.batches.retry(batch, AGAIN) == 1
    assert store.batches.states([batch]) == {batch: BatchState.RUNNING}


@HALTS
def test_rows_added_to_a_halted_batch_wait_and_are_told(store: Store, halted: BatchState) -> None:
    batch = started(store, 2)
    halt(store, batch, halted)
    before = changes(store, batch)
    assert store.batches.add(batch, topics(2)) == 2
    assert store.batches.states([batch]) == {batch: halted}
    assert changes(store, batch) > before


def test_answers_of_a_provider_that_come_at_once_tell_no_rate(store: Store) -> None:
    batch = store.batches.create(replace(NEW, via=Via.PROVIDER), topics(9))
    store.batches.resume(batch)
    for _ in range(4):
        end_next(store, batch)
    shown = store.batches.progress(batch)
    assert (shown.via, shown.recent, shown.left) == (Via.PROVIDER, 4, 5)
    assert (shown.rows_per_minute, shown.remaining_s) == (None, None)
