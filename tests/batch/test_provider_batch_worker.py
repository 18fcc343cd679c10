"""A batch that a worker carries out through the provider's Batch API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fanout.batch.worker import Worker
from fanout.batches import BatchState, RowState
from fanout.providers.batch_script import JobScript
from fanout.store.provider_values import Parked, Queue
from fanout.types import EndpointId, RunStatus, Via
from tests.batch.hall import LOOK_S, Hall, hall
from tests.batch.parked import QUICK, comes_true
from tests.store.shelf import Made


@contextmanager
def working(at: Hall) -> Iterator[Worker]:
    with at.runtime() as runtime:
        runtime.engine.parking.pace = QUICK
        worker = Worker(runtime, look_s=LOOK_S, poll_s=LOOK_S)
        worker.start()
        try:
            yield worker
        finally:
            worker.close()


def test_a_batch_goes_through_a_few_jobs_and_its_rows_are_ordinary_runs(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at, working(at):
        batch = at.batch(8, via=Via.PROVIDER, concurrency=2)
        at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 8}
        assert at.server.requests == ()
        assert set(Counter(at.server.batches.prompts).values()) == {1}
        assert len(at.server.batches.prompts) == 8 * 4
        assert len(at.server.batches.made) < 8, "rows share jobs, whatever its concurrency says"
        for row in at.rows(batch):
            assert row.run_id is not None and row.result is not None
            stored = at.store.load(row.run_id)
            assert stored is not None and stored.snapshot.status is RunStatus.SUCCEEDED
            assert row.result.answer == "One two three."


def test_a_batch_that_is_stopped_calls_its_job_off_and_goes_on_where_it_was(
    fanout_home: Path,
) -> None:
    with hall(fanout_home, "") as at, working(at):
        at.server.batches.usual = JobScript(takes_s=60.0)
        batch = at.batch(3, via=Via.PROVIDER)
        at.until(lambda: bool(at.server.batches.made), "a job")
        at.store.batches.stop(batch)
        at.until_state(batch, BatchState.STOPPED)
        assert comes_true(lambda: set(at.server.batches.cancelled) == set(at.server.batches.made))
        at.until(lambda: at.states(batch) == {RowState.STOPPED: 3}, "the end of all rows")
        at.server.batches.usual = JobScript()
        at.store.batches.resume(batch)
        at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 3}
        assert set(Counter(at.server.batches.prompts).values()) == {1}


def test_a_worker_that_ends_leaves_its_job_to_the_next_one(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at:
        at.server.batches.jobs.append(JobScript(takes_s=1.0))
        with working(at):
            batch = at.batch(3, via=Via.PROVIDER)
            at.until(lambda: bool(at.server.batches.made), "a job")
        assert at.server.batches.cancelled == []
        with working(at):
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 3}
        assert set(Counter(at.server.batches.prompts).values()) == {1}


def test_what_deleted_runs_had_asked_is_dropped_when_fanout_starts(fanout_home: Path) -> None:
    with hall(fanout_home, "") as at:
        at.store.write([Made(id="gone").update()])
        queue = Queue(endpoint=EndpointId("e"), model="m")
        asked = Parked(key="k", run="gone", call="c", queue=queue, body="{}", shape="s")
        at.store.provider_jobs.requests.park([asked])
        at.store.history.delete(["gone"])
        with at.runtime() as runtime:
            runtime.warm_up()
            at.until(lambda: at.store.provider_jobs.requests.waiting() == (), "the sweep")
