"""Rows of batches among other runs: out of History until asked for, and linked to their batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.batch.address import PAGE
from fanout.events import RunStarted
from fanout.store.store import Store
from fanout.store.values import Question
from fanout.types import BatchId, MadeWith, RowPlace
from tests.pages.batch_steps import SHELL, drawn, kept, topics
from tests.pages.history_steps import history_store, ids, keep, opened, rows, said
from tests.store.samples import events, update


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app's own engine and store, in this test's FANOUT_HOME; nothing is asked."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


@pytest.fixture
def store() -> Store:
    return history_store()


def keep_row(store: Store, run_id: str, batch: str, number: int) -> None:
    """Write a run as the engine would have for a row."""
    told = list(events(run_id, topic=f"topic {number}", tokens=4))
    first = told[0]
    assert isinstance(first, RunStarted)
    place = RowPlace(batch=BatchId(batch), number=number)
    told[0] = replace(first, made_with=MadeWith(model=first.branches[0].model, row=place))
    store.write([update(told)])


def test_rows_of_batches_are_left_out_until_they_are_asked_for(store: Store) -> None:
    keep(store, "by-hand", topic="rain")
    keep_row(store, "row-12", "the-batch", 12)
    assert ids(opened()) == ["by-hand"]
    app = opened(rows="1")
    assert sorted(ids(app)) == ["by-hand", "row-12"]
    assert {row["id"]: row["batch"] for row in rows(app)} == {
        "by-hand": "",
        "row-12": "the-batch",
    }
    assert ids(opened(batch="the-batch")) == ["row-12"]


def test_the_switch_shows_them_and_the_address_keeps_that(store: Store) -> None:
    keep(store, "by-hand", topic="rain")
    keep_row(store, "row-12", "the-batch", 12)
    app = opened()
    app = drawn(app.toggle(key="history_rows").set_value(True).run())
    assert sorted(ids(app)) == ["by-hand", "row-12"]
    assert app.query_params["rows"] == "1"


def test_where_there_are_only_rows_the_page_says_so(store: Store) -> None:
    keep_row(store, "row-12", "the-batch", 12)
    app = opened()
    assert "1 row of batches can be shown under Filters" in said(app)
    assert app.toggle(key="history_rows").value is False


def test_sums_leave_rows_out_as_the_list_does(store: Store) -> None:
    keep(store, "by-hand", topic="rain")
    keep_row(store, "row-1", "the-batch", 1)
    hidden = Question(rows=False)
    assert store.history.find(hidden).total == 1
    assert sum(day.runs for day in store.history.days(hidden)) == 1
    assert store.history.find(Question(batch="the-batch")).total == 1
    assert store.history.find(Question()).total == 2


def test_a_run_leads_to_the_batch_whose_row_it_is(store: Store) -> None:
    batch = kept(topics(12), title="a list of *things*")
    keep_row(store, "row-12", batch, 12)
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.query_params["run"] = "row-12"
    app = drawn(app.run())
    (link,) = [one.proto for one in app.get("page_link") if "Row 12" in one.proto.label]
    assert "a list of \\*things\\*" in link.label
    assert link.query_string == f"id={batch}"
    assert PAGE.is_file()


def test_a_run_of_a_deleted_batch_says_so(store: Store) -> None:
    keep_row(store, "row-12", "gone", 12)
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.query_params["run"] = "row-12"
    assert "Row 12 of a batch that is deleted" in said(drawn(app.run()))
