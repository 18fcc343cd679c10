"""Batches where several people use one Fanout: everybody's own, on the page as in the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.batch.begin import begin
from components.batch.setup import Pace
from fanout.batch.preparing import prepare
from fanout.batch.reading.reading import read_pasted
from fanout.engine.runtime import Runtime
from fanout.people import Person, PersonId
from fanout.policies import Budget
from fanout.settings import Settings
from fanout.types import Via
from fanout.workflows.library import shipped

ADA, BOB = Person(id=PersonId("a" * 32), name="Ada"), Person(id=PersonId("b" * 32), name="Bob")
PACE = Pace(concurrency=2, rows_per_minute=None, budget=Budget(), via=Via.CALLS)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Runtime]:
    environment = {
        "FANOUT_HOME": str(tmp_path),
        "FANOUT_SHARED": "1",
        "FANOUT_ALLOWED_HOSTS": "127.0.0.1",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "FANOUT_MODEL": "scripted",
    }
    settings, _ = Settings.usable(environment)
    with Runtime(settings) as runtime:
        yield runtime


def test_a_batch_belongs_to_who_made_it_and_nobody_else_sees_it(whole: Runtime) -> None:
    assert whole.visitors is not None
    hers, his = whole.visitors.of(ADA), whole.visitors.of(BOB)
    workflow = shipped().get("creative-trio")
    prepared = prepare(read_pasted("One\nTwo"), workflow)
    begin(hers, prepared, workflow, hers.fitting_model(), PACE, "hers", trial=False)
    (batch,) = hers.store.batches.all()
    assert batch.person == ADA.id
    assert his.store.batches.all() == ()
    assert his.store.batches.get(batch.id) is None
    assert [one.id for one in whole.store.batches.open()] == [batch.id], "workers see everybody's"
