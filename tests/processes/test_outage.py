"""A database that was away for everybody: nobody is taken for dead by who comes back first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import update

from fanout.people import PersonId
from fanout.store.database import writing
from fanout.store.owners import SILENT_S
from fanout.store.schema import processes
from fanout.store.store import Store
from fanout.types import RunStatus
from tests.store import samples

RUN = "run-0001"


@pytest.fixture
def two(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Store, Store]]:
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(Store.open(tmp_path / name, postgres_url))
            for name in ("one", "two")
        )
        told = samples.events(RUN)
        one.write([samples.update(told, until=len(told) // 2)])
        yield one, other


def away(seconds: float, *stores: Store) -> None:
    """As if the database had been gone for all of these until now."""
    with writing(stores[0]._engine) as connection:
        connection.execute(update(processes).values(seen_at=processes.c.seen_at - seconds))
    for store in stores:
        store._owners._beaten -= seconds
        store._owners._made_sure -= seconds


@pytest.mark.parametrize("lock_is_lost", [False, True])
def test_the_first_one_back_waits_for_the_others(
    two: tuple[Store, Store], lock_is_lost: bool
) -> None:
    owner, first = two
    away(SILENT_S + 5, owner, first)
    if lock_is_lost:
        owner._owners._presence.close()
    assert first.interrupt() == (), "before it has said itself that it lives"
    first.beat()
    assert first.interrupt() == ()
    assert not first.claim(RUN)
    assert first.turns.elsewhere(PersonId("")).of_all == 1
    owner.beat()
    # What it has to say is still its own to say.
    owner.write([samples.update(samples.events(RUN))])
    kept = first.load(RUN)
    assert kept is not None and kept.snapshot.status is RunStatus.SUCCEEDED


def test_who_does_not_come_back_is_gone_in_the_end(two: tuple[Store, Store]) -> None:
    owner, first = two
    away(SILENT_S + 5, owner, first)
    first.beat()
    assert first.interrupt() == ()
    # So long after, with a heartbeat all along.
    first._owners._unbroken -= SILENT_S
    assert first.interrupt() == (RUN,)
