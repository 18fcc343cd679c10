"""Batches: each row is handed out once, ends once, and everything about it can be read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier

import pytest

from fanout.batches import (
    FORMAT,
    HELD,
    BatchState,
    NewBatch,
    Row,
    RowResult,
    RowState,
)
from fanout.errors import InputError, StoreError
from fanout.people import PersonId
from fanout.policies import Budget
from fanout.store.batch_values import SUMMED
from fanout.store.store import Store
from fanout.types import BatchId, Cost, EndpointId, FailureKind, ModelRef, RunId

NEW = NewBatch(
    title="topics.csv",
    workflow="trio",
    definition={"name": "trio", "branches": [{"id": "one"}]},
    model=ModelRef(endpoint=EndpointId("here"), model="small"),
    columns=("topic", "tone"),
    budget=Budget(usd=Decimal("1.25"), tokens=900),
    places={EndpointId("here"): "http://10.0.0.5/v1"},
)
DONE = RowResult(
    state=RowState.SUCCEEDED,
    answer="An answer about rain",
    verdict="yes",
    agreement=0.75,
    measures={"speed_up": 2.5},
    cost=Cost(usd=Decimal("0.002"), price=SUMMED),
    input_tokens=10,
    output_tokens=20,
    wall_s=1.5,
    sequential_s=4.0,
    branches=3,
)
FAILED = RowResult(state=RowState.FAILED, cause=FailureKind.RATE_LIMIT, message="Too many.")


def topics(count: int) -> list[Row]:
    return [Row(number=n, topic=f"topic {n}", line=n + 1) for n in range(1, count + 1)]


def started(store: Store, count: int) -> BatchId:
    batch = store.batches.create(NEW, topics(count))
    store.batches.resume(batch)
    return batch


def end_next(store: Store, batch: BatchId, result: RowResult = DONE) -> int:
    (row,) = store.batches.take(batch, 1)
    number = row.row.number
    run = store.batches.begin(batch, number, row.go, RunId(f"run-{number}"), "w")
    assert run is not None
    assert store.batches.end(batch, number, row.go, replace(result, run_id=run))
    return number


def test_a_batch_is_kept_as_it_was_made_and_waits_for_its_start(store: Store) -> None:
    batch = store.batches.create(NEW, topics(3))
    kept = store.batches.get(batch)
    assert kept is not None
    for name in NEW.__slots__:
        assert getattr(kept, name) == getattr(NEW, name)
    assert (kept.state, kept.format, kept.started_at) == (BatchState.PAUSED, FORMAT, None)
    assert store.batches.take(batch, 9) == ()
    store.batches.resume(batch)
    assert [row.row.topic for row in store.batches.take(batch, 9)] == [
        "topic 1",
        "topic 2",
        "topic 3",
    ]


def test_a_row_keeps_its_other_columns_whatever_is_in_them(store: Store) -> None:
    values = {"topic": "r\x00ain", "tönung": 'a "quote"\n, and \ud800'}
    batch = store.batches.create(NEW, [Row(number=1, topic="r\x00ain", values=values)])
    (row,) = store.batches.rows(batch)
    assert row.row.topic == "r\ufffdain"
    assert row.row.values == {"topic": "r\ufffdain", "tönung": 'a "quote"\n, and \ufffd'}


def test_a_row_that_is_left_out_is_never_handed_out(store: Store) -> None:
    rows = [Row(number=1, topic="a"), Row(number=2, topic="a", skipped="the same as row 1")]
    batch = store.batches.create(NEW, rows)
    store.batches.resume(batch)
    assert [row.row.number for row in store.batches.take(batch, 9)] == [1]
    assert store.batches.progress(batch).counts == {RowState.SKIPPED: 1, RowState.QUEUED: 1}


def test_no_row_is_handed_out_twice_to_processes_that_take_at_once(
    open_store: Callable[[], Store],
) -> None:
    stores = [open_store() for _ in range(4)]
    batch = started(stores[0], 60)
    ready = Barrier(4)

    def taken(store: Store) -> list[int]:
        ready.wait()
        found: list[int] = []
        while True:
            try:
                rows = store.batches.take(batch, 4)
            except StoreError:
                continue
            if not rows and not store.batches.count(batch, states=[RowState.WAITING]):
                return found
            found += [row.row.number for row in rows]

    with ThreadPoolExecutor(4) as pool:
        found = [number for numbers in pool.map(taken, stores) for number in numbers]
    assert sorted(found) == list(range(1, 61))


def test_what_became_of_a_row_is_kept(store: Store) -> None:
    batch = started(store, 1)
    end_next(store, batch)
    (row,) = store.batches.rows(batch)
    kept = row.result
    assert kept is not None
    assert kept == replace(DONE, run_id=RunId("run-1"))
    assert (row.state, row.worker, row.go) == (RowState.SUCCEEDED, "w", 1)


def test_the_last_row_finishes_the_batch(store: Store) -> None:
    batch = started(store, 2)
    end_next(store, batch)
    kept = store.batches.get(batch)
    assert kept is not None
    assert kept.state is BatchState.RUNNING
    end_next(store, batch)
    kept = store.batches.get(batch)
    assert kept is not None
    assert kept.state is BatchState.FINISHED
    assert kept.finished_at is not None


def test_a_row_goes_on_with_the_run_that_it_had(store: Store) -> None:
    batch = started(store, 1)
    (row,) = store.batches.take(batch, 1)
    assert store.batches.begin(batch, 1, row.go, RunId("first"), "a") == "first"
    assert store.batches.begin(batch, 1, row.go, RunId("second"), "b") == "first"
    store.batches.give_back(batch, [1])
    (again,) = store.batches.take(batch, 1)
    assert again.go == 2
    assert store.batches.begin(batch, 1, 2, RunId("third"), "c") == "first"


def test_an_earlier_go_can_neither_begin_nor_end_a_row(store: Store) -> None:
    batch = started(store, 1)
    store.batches.take(batch, 1)
    store.batches.give_back(batch, [1])
    store.batches.take(batch, 1)
    assert store.batches.begin(batch, 1, 1, RunId("late"), "a") is None
    assert not store.batches.end(batch, 1, 1, DONE)
    assert store.batches.begin(batch, 1, 2, RunId("now"), "a") == "now"
    assert store.batches.end(batch, 1, 2, DONE)
    assert not store.batches.end(batch, 1, 2, FAILED)
    assert store.batches.rows(batch)[0].state is RowState.SUCCEEDED


def test_a_pause_takes_back_what_has_not_begun_and_leaves_the_rest(store: Store) -> None:
    batch = started(store, 3)
    first, second = store.batches.take(batch, 2)
    store.batches.begin(batch, first.row.number, first.go, RunId("r"), "w")
    store.batches.pause(batch, why="the budget is used up")
    states = [row.state for row in store.batches.rows(batch)]
    assert states == [RowState.RUNNING, RowState.WAITING, RowState.WAITING]
    assert store.batches.begin(batch, second.row.number, second.go, RunId("s"), "w") is None
    assert store.batches.end(batch, first.row.number, first.go, DONE)
    kept = store.batches.get(batch)
    assert kept is not None
    assert (kept.state, kept.why) == (BatchState.PAUSED, "the budget is used up")
    store.batches.resume(batch)
    kept = store.batches.get(batch)
    assert kept is not None
    assert (kept.state, kept.why) == (BatchState.RUNNING, "")


def test_a_row_that_was_still_stopping_when_its_batch_went_on_is_waiting_again(
    store: Store,
) -> None:
    batch = started(store, 2)
    one, other = store.batches.take(batch, 2)
    for row in (one, other):
        store.batches.begin(batch, row.row.number, row.go, RunId(f"run-{row.row.number}"), "w")
    stopped = replace(DONE, state=RowState.STOPPED)
    store.batches.stop(batch)
    assert store.batches.end(batch, 1, one.go, stopped, halted=True)
    store.batches.resume(batch)
    assert not store.batches.end(batch, 2, other.go, stopped, halted=True)
    assert store.batches.progress(batch).counts == {RowState.WAITING: 2}
    assert {row.run_id for row in store.batches.rows(batch)} == {"run-1", "run-2"}
    # A single run that a person stopped stays so.
    (again, _) = store.batches.take(batch, 2)
    store.batches.begin(batch, again.row.number, again.go, RunId("x"), "w")
    assert store.batches.end(batch, again.row.number, again.go, stopped)


def test_after_a_stop_nothing_begins_and_a_resume_brings_stopped_rows_back(store: Store) -> None:
    batch = started(store, 2)
    first, second = store.batches.take(batch, 2)
    store.batches.begin(batch, 1, first.go, RunId("r"), "w")
    store.batches.stop(batch)
    assert store.batches.begin(batch, 2, second.go, RunId("s"), "w") is None
    # A worker that takes over what a dead one had must not go on with it either.
    assert store.batches.begin(batch, 1, first.go, RunId("r"), "other") is None
    store.batches.resume(batch)
    (again,) = store.batches.take(batch, 1)
    assert store.batches.begin(batch, 1, again.go, RunId("x"), "w") == "r"
    store.batches.stop(batch)
    assert store.batches.end(batch, 1, again.go, replace(DONE, state=RowState.STOPPED))
    assert store.batches.states([batch]) == {batch: BatchState.STOPPED}
    store.batches.resume(batch)
    assert [row.row.number for row in store.batches.take(batch, 9)] == [1, 2]


def test_rows_can_be_added_to_a_batch_that_had_finished(store: Store) -> None:
    batch = started(store, 1)
    end_next(store, batch)
    assert store.batches.add(batch, topics(2)) == 2
    assert store.batches.states([batch]) == {batch: BatchState.RUNNING}
    assert [row.row.number for row in store.batches.take(batch, 9)] == [2, 3]


def test_rows_are_found_by_state_and_text_and_shown_in_order(store: Store) -> None:
    batch = started(store, 4)
    end_next(store, batch, replace(DONE, agreement=0.2))
    end_next(store, batch, replace(DONE, agreement=0.9, answer="100% SNOW"))
    end_next(store, batch, FAILED)
    find = store.batches.rows
    assert [r.row.number for r in find(batch, search="100% snow")] == [2]
    assert [r.row.number for r in find(batch, search="100_")] == []
    assert [r.row.number for r in find(batch, states=[RowState.FAILED])] == [3]
    best = find(batch, order="agreement", descending=True)
    assert [r.row.number for r in best] == [2, 1, 3, 4]
    assert [r.row.number for r in find(batch, offset=1, limit=2)] == [2, 3]
    assert store.batches.count(batch, search="topic") == 4
    assert [r.row.number for r in store.batches.each(batch)] == [1, 2, 3, 4]


def test_settings_change_while_it_runs(store: Store) -> None:
    batch = started(store, 1)
    before = store.batches.get(batch)
    store.batches.change(batch, concurrency=9, rows_per_minute=30, title="New")
    store.batches.change(batch, budget=Budget(usd=Decimal(7)))
    after = store.batches.get(batch)
    assert before is not None
    assert after is not None
    assert (after.concurrency, after.rows_per_minute, after.title) == (9, 30, "New")
    assert after.budget == Budget(usd=Decimal(7))
    assert after.changed == before.changed + 2


def test_a_running_batch_is_not_deleted(store: Store) -> None:
    batch = started(store, 2)
    with pytest.raises(InputError, match="Stop it first"):
        store.batches.delete(batch)
    store.batches.stop(batch)
    store.batches.delete(batch)
    assert store.batches.get(batch) is None
    assert store.batches.count(batch) == 0


def test_nobody_sees_or_touches_somebody_elses_batch(store: Store) -> None:
    ann, bob = store.of(PersonId("ann")), store.of(PersonId("bob"))
    batch = ann.batches.create(NEW, topics(1))
    assert bob.batches.get(batch) is None
    assert bob.batches.all() == ()
    for act in (bob.batches.pause, bob.batches.resume, bob.batches.stop, bob.batches.rows):
        with pytest.raises(InputError):
            act(batch)
    assert [one.person for one in store.batches.all()] == ["ann"]


def test_rows_held_back_for_a_trial_wait_until_they_are_released(store: Store) -> None:
    held = [replace(row, skipped=HELD) for row in topics(6)[2:]]
    left_out = replace(topics(7)[6], skipped="the same as row 1")
    batch = store.batches.create(NEW, [*topics(2), *held, left_out])
    store.batches.resume(batch)
    assert store.batches.held(batch) == 4
    for record in store.batches.take(batch, 10):
        store.batches.begin(batch, record.row.number, record.go, RunId(record.row.topic), "w")
        store.batches.end(batch, record.row.number, record.go, DONE)
    tried = store.batches.get(batch)
    assert tried is not None and tried.state is BatchState.FINISHED
    assert store.batches.release(batch) == 4
    assert [r.row.number for r in store.batches.take(batch, 10)] == [3, 4, 5, 6]
    assert store.batches.count(batch, states=[RowState.SKIPPED]) == 1, "the repeated one"
    assert (store.batches.held(batch), store.batches.release(batch)) == (0, 0)


def test_rows_are_found_by_what_they_failed_of(store: Store) -> None:
    batch = started(store, 3)
    broken = replace(FAILED, cause=FailureKind.SERVER)
    for record, result in zip(store.batches.take(batch, 3), (FAILED, broken, DONE), strict=True):
        store.batches.begin(batch, record.row.number, record.go, RunId(record.row.topic), "w")
        store.batches.end(batch, record.row.number, record.go, result)
    found = store.batches.rows(batch, cause=FailureKind.SERVER)
    assert [record.row.number for record in found] == [2]
    assert store.batches.count(batch, cause=FailureKind.RATE_LIMIT) == 1
    assert store.batches.count(batch) == 3
