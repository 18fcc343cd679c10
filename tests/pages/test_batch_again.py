"""Rows of a batch that is there already: asked again, or added to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components import session
from fanout.batches import BatchState, RowState
from tests.pages.batch_steps import (
    ANSWERED,
    BROKEN,
    REFUSED,
    batches,
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
    pressed(app, "batch_add")
    added = batches().rows(batch, offset=2)
    assert [(one.row.number, one.row.skipped) for one in added] == [
        (3, "the same as row 2"),
        (4, ""),
    ]
    assert state_of(batch) is BatchState.RUNNING
