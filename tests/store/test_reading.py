"""A damaged record is shown as far as it can be read, and never as an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update

from fanout.store.chunks import pack, unpack
from fanout.store.database import reading, writing
from fanout.store.reading import CUT, REBUILT, folded
from fanout.store.schema import timeline
from fanout.store.store import Store
from fanout.types import BranchState, RunStatus
from tests import folding
from tests.export.stored_runs import NAMES, failed_run, shipped_runs
from tests.store import samples

BROKEN = (b"", b"no zlib at all", pack(samples.events())[:-40])


@pytest.mark.parametrize("name", NAMES)
def test_folding_text_in_one_go_draws_the_same_picture(name: str) -> None:
    run = shipped_runs()[name]
    assert folded(run.events) == folding.folded(run.events)
    assert folded(failed_run().events) == folding.folded(failed_run().events)


@pytest.mark.parametrize("data", BROKEN)
def test_a_damaged_chunk_ends_the_run_there(open_store: Callable[[], Store], data: bytes) -> None:
    gone, store = open_store(), open_store()
    told = samples.events()
    for one in samples.news(told[:-1], 20):
        gone.write([one])
    gone.close()
    with writing(store._engine) as connection:
        third = timeline.c.first == 40
        connection.execute(update(timeline).where(third).values(data=data))
    for _ in range(2):
        kept = store.load("run-0001")
        assert kept is not None
        assert kept.problem == CUT
        assert kept.snapshot.status is RunStatus.INTERRUPTED
        before = folding.folded(told[:40])
        assert [b.text for b in kept.snapshot.branches] == [b.text for b in before.branches]
        store.interrupt()


def test_a_chunk_that_is_missing_ends_the_run_there(store: Store) -> None:
    told = samples.events()
    for one in samples.news(told[:-1], 20):
        store.write([one])
    with writing(store._engine) as connection:
        connection.execute(delete(timeline).where(timeline.c.first == 20))
    kept = store.load("run-0001")
    assert kept is not None
    assert kept.problem == CUT
    assert kept.written == len(told) - 1


@pytest.mark.parametrize("name", NAMES)
def test_without_its_timeline_a_run_still_shows_its_texts(store: Store, name: str) -> None:
    run = shipped_runs()[name]
    store.write([samples.update(run.events)])
    with writing(store._engine) as connection:
        connection.execute(update(timeline).values(data=BROKEN[1]))
    kept = store.load(run.id)
    assert kept is not None
    assert kept.problem == REBUILT
    assert kept.snapshot.status is run.snapshot.status
    assert [b.shown_text for b in kept.snapshot.branches] == [
        b.shown_text for b in run.snapshot.branches
    ]
    assert [b.state for b in kept.snapshot.branches] == [b.state for b in run.snapshot.branches]
    assert [made.shown.text for made in kept.snapshot.aggregates] == [
        made.shown.text for made in run.snapshot.aggregates
    ]


def test_an_event_that_fits_no_run_ends_it_there(store: Store) -> None:
    told = samples.events()
    store.write([samples.update(told)])
    strange = samples.events("run-0002", branches=9)
    mixed = (*told[:10], *strange[-12:])
    with writing(store._engine) as connection:
        connection.execute(update(timeline).values(data=pack(mixed)))
    kept = store.load("run-0001")
    assert kept is not None
    assert kept.problem == CUT
    assert kept.snapshot.status is RunStatus.INTERRUPTED
    assert all(b.state in (BranchState.STOPPED, BranchState.READY) for b in kept.snapshot.branches)


def test_a_large_run_is_packed_small_and_whole(store: Store) -> None:
    told = samples.events(branches=12, tokens=2000)
    store.write([samples.update(told)])
    with reading(store._engine) as connection:
        data = connection.execute(select(timeline.c.data)).scalar_one()
    assert len(data) < 250_000
    texts = [b.text for b in folded(unpack(data)).branches]
    assert texts == [b.text for b in folded(told).branches]
