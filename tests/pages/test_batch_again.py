"""Rows of a batch that is there already: asked again, or added to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from components import session
from fanout.batches import BatchState, RowState
from fanout.policies import Budget
from fanout.store.batch_values import SUMMED
from fanout.types import Cost, Price
from tests.pages.batch_steps import (
    ANSWERED,
    BROKEN,
    REFUSED,
    batches,
    drawn,
    end,
    kept,
    labels,
    opened,
    pasted,
    pressed,
    said,
    state_of,
    topics,
)


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app's own store, in this test's FANOUT_HOME; no worker of its own, and nobody asked."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


def test_rows_tried_again_of_a_stopped_batch_start_none_of_the_others() -> None:
    batch = kept(topics(9))
    batches().resume(batch)
    end(batch, [ANSWERED, REFUSED, BROKEN])
    batches().stop(batch)
    app = pressed(opened(id=batch), "batch_retry")
    assert "2 rows waiting to be asked again. Resume goes on with them and with 6 other rows." in (
        said(app)
    )
    assert state_of(batch) is BatchState.STOPPED
    assert batches().progress(batch).counts[RowState.WAITING] == 8


def test_rows_are_added_behind_those_that_are_there() -> None:
    batch = kept(topics(2))
    batches().resume(batch)
    end(batch, [ANSWERED, ANSWERED])
    assert state_of(batch) is BatchState.FINISHED
    app = pressed(opened(id=batch), "batch_add_rows")
    assert "Add rows to things" in said(app)
    app = pasted("topic 2\nsomething new", id=batch, add="1")
    assert "Add 1 row" in labels(app), "the other is there already"
    told = said(app)
    assert "1 row: 4 calls" in told and "Cost: " in told and "Time: " in told
    assert "it goes on with them at once" in told
    pressed(app, "batch_add")
    added = batches().rows(batch, offset=2)
    assert [(one.row.number, one.row.skipped) for one in added] == [
        (3, "the same as row 2"),
        (4, ""),
    ]
    assert state_of(batch) is BatchState.RUNNING


def test_rows_to_be_added_are_held_against_what_is_left_of_the_budget() -> None:
    book = session.runtime().engine.endpoints
    asked = session.runtime().fitting_model()
    price = Price(input=Decimal(1), output=Decimal(10), source="a list")
    book.put(replace(book.get(asked.endpoint), prices={asked.model: price}))
    batch = kept(topics(2), budget=Budget(usd=Decimal("0.02")))
    past = "They may cost more than is left of the budget"
    assert past not in said(pasted("something new", id=batch, add="1"))
    batches().resume(batch)
    end(batch, [replace(ANSWERED, cost=Cost(usd=Decimal("0.0199"), price=SUMMED))])
    batches().pause(batch)
    app = pasted("something new", id=batch, add="1")
    assert past in said(app)
    assert "They wait until the batch is started or resumed." in said(app)
    pressed(app, "batch_add")
    assert state_of(batch) is BatchState.PAUSED
    assert len(batches().rows(batch)) == 3


def test_what_the_command_line_sets_can_be_seen_and_stays_on_the_page() -> None:
    batch = kept(topics(2))
    batches().change(batch, concurrency=500, rows_per_minute=500_000)
    app = opened(id=batch)
    app.session_state["batch_more"] = True
    app = drawn(app.run())
    assert [one.value for one in app.number_input][:2] == [500, 500_000]
    next(one for one in app.text_input if one.label == "Title").set_value("another title")
    drawn(next(one for one in app.button if one.label == "Save").click().run())
    found = batches().get(batch)
    assert found is not None
    assert (found.title, found.concurrency, found.rows_per_minute) == (
        "another title",
        500,
        500_000,
    )
