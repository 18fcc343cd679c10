"""An endpoint that is down for a while costs the rows under way, and not all that were to come."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from fanout.batch.worker import Worker
from fanout.batches import NewBatch, RowState
from fanout.engine.runtime import Runtime
from fanout.policies import EndpointPolicy
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.settings import Settings
from fanout.types import BatchId, ModelRef
from tests.batch import faulty
from tests.batch.hall import DEFINITION, LOOK_S, MODEL, NAMES, Hall, hall, topics
from tests.shared.test_apart import ADA, added, view

ROWS = 30
AT_ONCE = 3
DOWN = 19
"""Requests that fail: those of the first rows, and the first one that tries how it is."""
BACK = Script(
    rules=(Rule(replies=(*[Reply(status=500)] * DOWN, Reply(text="One two three."))),),
)
OPENED_BY = 5
"""Calls that have to fail in a row before anybody waits; each is asked twice."""
GOOD = Reply(text="One two three.")
_FAILING = Rule(prompt="Write a joke", replies=(*[Reply(status=500)] * 13, GOOD))
_BRANCHES = [
    {"id": name, "title": name.title(), "prompt": f"Write a {name} about {{topic}}."}
    for name in NAMES
]


def test_rows_wait_for_an_endpoint_that_is_down(fanout_home: Path) -> None:
    with hall(fanout_home, "", BACK) as at:
        batch = _batch(at)
        with at.worker() as worker:
            at.until(lambda: any('"Topics" waits' in one for one in worker.notes), "the waiting")
            at.until_finished(batch)
            at.until(lambda: not worker.notes, "nothing more to wait for")
        states = at.states(batch)
        # A trial or two may fail as well, each with its own row.
        assert AT_ONCE <= states[RowState.FAILED] + states[RowState.PARTIAL] <= AT_ONCE + 4
        assert states.total() == ROWS
        assert {row.go for row in at.rows(batch)} == {1}


def test_rows_wait_for_an_endpoint_that_one_branch_alone_asks(fanout_home: Path) -> None:
    """The batch's own model answers all the while."""
    with hall(fanout_home, "", Script(rules=(_FAILING,), otherwise=GOOD)) as at:
        first, *others = _BRANCHES
        definition = DEFINITION | {"branches": [{**first, "model": "faulty/scripted"}, *others]}
        batch = _batch(at, definition=definition, model=MODEL)
        with at.worker() as worker:
            at.until(lambda: any('"Topics" waits: Acme' in one for one in worker.notes), "waiting")
            at.until_finished(batch)
        states = at.states(batch)
        assert OPENED_BY <= states[RowState.PARTIAL] <= OPENED_BY + 5
        assert states[RowState.SUCCEEDED] == ROWS - states[RowState.PARTIAL]


def test_rows_that_have_another_endpoint_to_fall_back_to_do_not_wait(fanout_home: Path) -> None:
    never = Rule(prompt="Write a joke", model="scripted", replies=(Reply(status=500),))
    with hall(fanout_home, "", Script(rules=(never,), otherwise=GOOD)) as at:
        first, *others = _BRANCHES
        falling = {**first, "model": "faulty/scripted", "fallback": ["environment/other"]}
        definition = DEFINITION | {"branches": [falling, *others]}
        batch = _batch(at, definition=definition, model=MODEL)
        with at.worker():
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: ROWS}


def test_rows_wait_for_an_endpoint_that_a_person_added(fanout_home: Path) -> None:
    """It is in nobody else's book, and the worker works for everybody."""
    with serving(BACK) as server, serving(Script(otherwise=GOOD)) as common:
        settings = Settings(
            home=fanout_home,
            base_url=common.base_url,
            model="scripted",
            shared=True,
            allowed_hosts=("127.0.0.1",),
        )
        with Runtime(settings) as whole:
            ada = view(whole, ADA)
            mine = added(ada, server.base_url)
            book = ada.engine.endpoints
            book.change(replace(book.get(mine), slots=40, policy=EndpointPolicy(circuit_s=0.5)))
            batch = ada.store.batches.create(
                _new(model=ModelRef(endpoint=mine, model="scripted")), topics(ROWS)
            )
            ada.store.batches.resume(batch)
            worker = Worker(whole, look_s=LOOK_S, poll_s=LOOK_S)
            worker.start()
            try:
                at = Hall(server, fanout_home, "", whole.store)
                at.until(lambda: any('"Topics" waits: Mine' in one for one in worker.notes), "it")
                at.until_finished(batch)
            finally:
                worker.close()
            states = at.states(batch)
            assert AT_ONCE <= states[RowState.FAILED] + states[RowState.PARTIAL] <= AT_ONCE + 4
            assert states.total() == ROWS


def _batch(at: Hall, **other: object) -> BatchId:
    faulty.priced(at.home, at.server.base_url)
    kept = at.home / "endpoints.json"
    (endpoint,) = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps([endpoint | {"policy": {"circuit_s": 0.5}}]), "utf-8")
    batch = at.store.batches.create(_new(**other), topics(ROWS))
    at.store.batches.resume(batch)
    return batch


def _new(**other: object) -> NewBatch:
    ways: dict[str, object] = {"definition": DEFINITION, "model": faulty.MODEL} | other
    return NewBatch(title="Topics", workflow="trio", concurrency=AT_ONCE, **ways)  # type: ignore[arg-type]
