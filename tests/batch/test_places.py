"""A batch asks the servers that it was made for, whatever else has the same name elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from components.batch.crew import able_workers, left_by
from fanout.batch.places import check_places, models_named, places_of
from fanout.batch.worker import Worker
from fanout.batches import Batch, BatchState, RowState
from fanout.cli.batch_looks import status_lines
from fanout.endpoint import BUNDLED
from fanout.engine.endpoints import EndpointBook
from fanout.engine.runtime import Runtime
from fanout.errors import DefinitionError
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.scripted_server import serving
from fanout.settings import ENVIRONMENT, Settings, described
from fanout.types import BatchId, EndpointId, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.batch.hall import DEFINITION, LOOK_S, MODEL, QUICK, Hall, hall

OTHER = EndpointId("other")
BRANCHES = ({"id": "one", "title": "One", "prompt": "On {topic}.", "model": "other/large"},)


def workflow(**other: object) -> Workflow:
    return parse(DEFINITION | other, name="trio")


def book(**addresses: str) -> EndpointBook:
    made = EndpointBook(OpenAICompatible)
    for id, url in addresses.items():
        made.put(described(url, id=id))
    return made


def batch_at(places: Mapping[EndpointId, str], model: ModelRef = MODEL) -> Batch:
    return Batch(
        id=BatchId("b"), title="T", workflow="trio", definition={}, model=model,
        state=BatchState.RUNNING, places=places,
    )  # fmt: skip


@contextmanager
def worker_at(at: Hall, url: str) -> Iterator[Worker]:
    """One in a process whose environment leads to another server."""
    elsewhere = Settings.from_environment(at.environment | {"OPENAI_BASE_URL": url})
    with Runtime(elsewhere) as runtime:
        worker = Worker(runtime, look_s=LOOK_S, poll_s=LOOK_S)
        worker.start()
        try:
            yield worker
        finally:
            worker.close()


def test_a_worker_whose_environment_leads_elsewhere_sends_no_row_there(
    fanout_home: Path, store_url: str
) -> None:
    with hall(fanout_home, store_url) as at, serving(QUICK) as wrong:
        batch = at.batch(4, places={ENVIRONMENT: at.server.base_url})
        with worker_at(at, wrong.base_url) as worker:
            at.until(lambda: bool(worker.notes), "a note")
            here, there = (url.split("/")[2] for url in (at.server.base_url, wrong.base_url))
            for word in ('"Topics"', here, there, "set OPENAI_BASE_URL to", "left to others"):
                assert word in worker.notes[0]
            at.until(lambda: any(one.leaves for one in at.store.batches.workers()), "its word")
            (seen,) = at.store.batches.workers()
            assert able_workers(at.get(batch), [seen]) == []
            told = left_by(at.get(batch), seen)
            assert told == f"{seen.host} ({seen.pid}): {worker.notes[0]}"
            assert f"  {told}" in list(status_lines(at.store, at.get(batch)))
            assert at.states(batch) == {RowState.WAITING: 4}
            with at.worker():
                at.until_finished(batch)
        assert wrong.requests == ()
        assert len(at.server.requests) == 4 * 4


def test_a_batch_of_before_addresses_were_kept_goes_by_its_endpoints_name(
    fanout_home: Path,
) -> None:
    with hall(fanout_home, "") as at, serving(QUICK) as moved:
        batch = at.batch(1)
        with worker_at(at, moved.base_url):
            at.until_finished(batch)
        assert len(moved.requests) == 4


def test_every_server_that_a_row_may_ask_is_kept_without_what_is_secret() -> None:
    made = workflow(
        branches=BRANCHES,
        defaults={"fallback": ["third/small"]},
        aggregate={"prompt": "{results}", "model": "fourth/x", "fallback": ["fifth/y"]},
    )
    known = book(
        environment="https://one.test/v1", other="https://me:pass@two.test/v1?key=sk-1",
        third="http://three.test:8000/v1", fourth="http://four.test/v1",
        fifth="http://five.test/v1", unused="http://six.test/v1",
    )  # fmt: skip
    assert places_of(made, MODEL, known) == {
        ENVIRONMENT: "https://one.test/v1",
        OTHER: "https://two.test/v1",
        "third": "http://three.test:8000/v1",
        "fourth": "http://four.test/v1",
        "fifth": "http://five.test/v1",
    }


@pytest.mark.parametrize(
    ("addresses", "says"),
    [
        ({"environment": "http://a.test/v1"}, 'asks the endpoint "other"'),
        (
            {"environment": "http://a.test/v1", "other": "http://c.test/v1"},
            "asks b.test as its endpoint \"other\", which leads to c.test",
        ),
        (
            {"environment": "http://a.test/v1", "other": "http://b.test/v2"},
            "http://b.test/v1 as its endpoint",
        ),
        ({"other": "http://b.test/v1"}, "set OPENAI_BASE_URL to a.test"),
    ],
)  # fmt: skip
def test_a_branch_that_would_be_asked_elsewhere_keeps_the_worker_away(
    addresses: dict[str, str], says: str
) -> None:
    names = models_named(workflow(branches=BRANCHES))
    places = {ENVIRONMENT: "http://a.test/v1", OTHER: "http://b.test/v1"}
    check_places(
        batch_at(places), names, book(environment="http://a.test/v1/", other="http://b.test:80/v1")
    )
    with pytest.raises(DefinitionError) as refused:
        check_places(batch_at(places), names, book(**addresses))
    assert says in str(refused.value)


def test_a_models_own_slash_is_not_taken_for_an_endpoint_of_the_worker() -> None:
    names = models_named(workflow(branches=BRANCHES))
    places = {ENVIRONMENT: "http://a.test/v1"}
    known = book(environment="http://a.test/v1")
    check_places(batch_at(places), names, known)
    known.put(described("http://b.test/v1", id="other"))
    with pytest.raises(DefinitionError, match='the model "other/large"'):
        check_places(batch_at(places), names, known)


def test_the_model_on_this_machine_is_the_same_on_any_port() -> None:
    here = book(local="http://127.0.0.1:4001/v1")
    model = ModelRef(endpoint=BUNDLED, model="")
    places = places_of(workflow(), model, here)
    assert places == {BUNDLED: ""}
    there = book(local="http://127.0.0.1:4002/v1")
    check_places(replace(batch_at(places), model=model), {""}, there)
