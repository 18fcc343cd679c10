"""An endpoint that is down for a while costs the rows under way, and not all that were to come."""

from __future__ import annotations

import json
from pathlib import Path

from fanout.batches import NewBatch, RowState
from fanout.providers.script import Reply, Rule, Script
from fanout.types import BatchId
from tests.batch import faulty
from tests.batch.hall import DEFINITION, Hall, hall, topics

ROWS = 30
AT_ONCE = 3
DOWN = 19
"""Requests that fail: those of the first rows, and the first one that tries how it is."""
BACK = Script(
    rules=(Rule(replies=(*[Reply(status=500)] * DOWN, Reply(text="One two three."))),),
)


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


def _batch(at: Hall) -> BatchId:
    faulty.priced(at.home, at.server.base_url)
    kept = at.home / "endpoints.json"
    (endpoint,) = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps([endpoint | {"policy": {"circuit_s": 0.5}}]), "utf-8")
    new = NewBatch(
        title="Topics",
        workflow="trio",
        definition=DEFINITION,
        model=faulty.MODEL,
        concurrency=AT_ONCE,
    )
    batch = at.store.batches.create(new, topics(ROWS))
    at.store.batches.resume(batch)
    return batch
