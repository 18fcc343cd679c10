"""Workers are told with what they have in hand, and as gone once they are."""

from __future__ import annotations

from collections.abc import Callable

from fanout.batches import FORMAT, WorkerSeen
from fanout.store.store import Store
from fanout.types import RunId
from tests.store.test_batches import DONE, started


def seen(worker: str) -> WorkerSeen:
    return WorkerSeen(
        id=worker, host="there", pid=1, version="1", format=FORMAT, started_at=1.0, seen_at=0.0,
        alive=True,
    )  # fmt: skip


def test_a_worker_is_shown_with_what_it_has_and_gone_when_its_process_is(
    open_store: Callable[[], Store],
) -> None:
    here, there = open_store(), open_store()
    there.batches.beat(seen(there.owner))
    batch = started(here, 2)
    row, other = here.batches.take(batch, 2)
    here.batches.begin(batch, 1, row.go, RunId("r"), there.owner)
    here.batches.begin(batch, 2, other.go, RunId("s"), there.owner)
    here.batches.end(batch, 1, row.go, DONE)
    (shown,) = here.batches.workers()
    assert (shown.alive, shown.rows, shown.done, shown.host) == (True, 1, 1, "there")
    there.close()
    (shown,) = here.batches.workers()
    assert not shown.alive


def test_a_worker_that_left_is_shown_as_gone_though_its_process_lives(store: Store) -> None:
    store.batches.beat(seen(store.owner))
    store.batches.leave(store.owner)
    (shown,) = store.batches.workers()
    assert not shown.alive
