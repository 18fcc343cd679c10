"""A batch that is made on the page keeps where it asks, and the page tells who asks elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components import session
from fanout.batches import FORMAT, WorkerSeen
from fanout.settings import ENVIRONMENT
from tests.pages.batch_steps import batches, kept, opened, pasted, pressed, said, topics

URL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


def test_a_batch_of_the_page_keeps_the_address_that_it_asks() -> None:
    pressed(pasted("One thing\nAnother thing\n"), "batch_start")
    (batch,) = batches().all()
    assert batch.places == {ENVIRONMENT: URL}


def test_the_page_says_which_worker_leaves_the_batch_to_others_and_why() -> None:
    batch, other = kept(topics(2)), kept(topics(1))
    for one in (batch, other):
        batches().resume(one)
    batches().beat(
        WorkerSeen(
            id=session.runtime().store.owner, host="lab", pid=7, version="2", format=FORMAT,
            started_at=1.0, seen_at=2.0, alive=True,
            leaves={batch: "It leads to api.test for this worker."},
        )
    )  # fmt: skip
    shown = said(opened(id=batch))
    assert "lab (7): It leads to api.test for this worker." in shown
    assert "No worker is there" not in shown and "older version" not in shown
    assert "Time left unknown" in shown
    assert "api.test" not in said(opened(id=other))
