"""Providers that fail for long, and jobs that nobody can be sure of: nothing paid for is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from fanout.providers.scripted_server import ServerHandle, serving
from fanout.snapshot import Snapshot
from fanout.store.database import reading
from fanout.store.provider_values import JobState, Queue
from fanout.store.provider_values import Parked as Request
from fanout.store.schema_batches import provider_jobs
from fanout.store.store import Store
from fanout.types import FailureKind, RunStatus
from tests.batch.parked import (
    HERE,
    MODEL,
    QUICK,
    comes_true,
    ended,
    engine_of,
    parked,
)
from tests.rig import script, trio

HASTY = replace(QUICK, give_up_s=0.0)
"""Has no patience at all."""


class Forgetful(dict[str, bytes]):
    """A provider's files: every one is taken, and none is found again."""

    def __contains__(self, name: object) -> bool:
        return False


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def states(store: Store) -> list[str]:
    with reading(store._engine) as connection:
        return list(connection.execute(select(provider_jobs.c.state)).scalars())


def asked_once(server: ServerHandle) -> bool:
    return len(set(server.batches.prompts)) == len(server.batches.prompts) > 0


def why(snapshot: Snapshot) -> str:
    failure = snapshot.branches[0].failure
    assert failure is not None
    return failure.message


def cut(server: ServerHandle) -> None:
    """The answer to what is held never comes: connections are cut instead."""
    for client in list(server._ledger.open):
        server._ledger.reset(client)
    server.batches.hold = ""


def test_answers_that_can_not_be_fetched_for_long_are_there_once_they_can(store: Store) -> None:
    with parked(script(), store, pace=HASTY) as here:
        here.server.batches.refusals["content"] = deque([401, 401, 403, 401])
        told = here.run(trio())
        assert told.status is RunStatus.FAILED
        assert told.branches[0].failure is not None
        assert told.branches[0].failure.kind is FailureKind.AUTH
        assert comes_true(lambda: states(store) == [JobState.OVER])
        assert ended(here.resumed()).status is RunStatus.SUCCEEDED
        assert asked_once(here.server) and len(here.server.batches.made) == 2


def test_nobody_is_told_of_a_download_that_fails_for_now_however_long(store: Store) -> None:
    with parked(script(), store, pace=HASTY) as here:
        here.server.batches.refusals["content"] = deque([503, 429, 500])
        snapshot = here.run(trio())
    assert snapshot.status is RunStatus.SUCCEEDED and asked_once(here.server)
    assert all(branch.attempts == 1 for branch in snapshot.branches)


def test_answers_that_the_provider_deleted_are_told_as_that(store: Store) -> None:
    with parked(script(), store, pace=replace(QUICK, give_up_s=0.1)) as here:
        here.server.batches.refusals["content"] = deque([404] * 200)
        snapshot = here.run(trio())
    assert why(snapshot).startswith("Here does not have the file of this batch's answers any more.")


def test_a_job_that_was_given_up_before_it_was_sent_is_never_sent(tmp_path: Path) -> None:
    with serving(script()) as server:
        with Store.open(tmp_path) as gone, engine_of(server, gone) as before:
            host = before.engine.endpoints.get(HERE).host
            queue = Queue(endpoint=HERE, model=MODEL.model)
            server.batches.files["file-0"] = b'{"custom_id": "k"}\n'
            jobs = gone.provider_jobs
            jobs.requests.park(
                [Request(key="k", run="r", call="c", queue=queue, body="{}", shape="")]
            )
            job = jobs.gather(queue, host, most=9, most_bytes=99)
            assert job is not None and jobs.uploaded(job.id, "file-0")
            jobs.answered(job.id, {"k": '{"kind": "server", "message": "No.", "retryable": false}'})
            assert jobs.ended(job.id, "given up")
        with Store.open(tmp_path) as store, engine_of(server, store) as here:
            assert here.run(trio()).status is RunStatus.SUCCEEDED
            assert comes_true(lambda: set(states(store)) == {JobState.OVER})
            assert len(server.batches.made) == 2, "the row's own, and no other"
            assert "file-0" not in server.batches.files


def test_a_job_whose_making_is_not_known_is_looked_for_before_it_is_given_up(store: Store) -> None:
    with parked(script(), store, pace=HASTY) as here:
        here.server.batches.hold = "after batches"
        handle = here.row(trio())
        assert here.server.batches.wait_until_held()
        cut(here.server)
        assert ended(handle).status is RunStatus.SUCCEEDED
        assert asked_once(here.server) and len(here.server.batches.made) == 2


def test_whoever_waits_for_a_job_that_may_be_there_is_told_and_finds_it_later(
    store: Store,
) -> None:
    with parked(script(), store, pace=HASTY) as here:
        here.server.batches.hold = "after batches"
        handle = here.row(trio())
        assert here.server.batches.wait_until_held()
        here.server.batches.refusals["list"] = deque([401] * 5)
        cut(here.server)
        told = ended(handle)
        assert told.status is RunStatus.FAILED and "key" in why(told)
        assert comes_true(lambda: states(store) == [JobState.OVER])
        assert ended(here.resumed()).status is RunStatus.SUCCEEDED
        assert asked_once(here.server) and len(here.server.batches.made) == 2


def test_an_answer_to_its_making_that_is_no_batch_is_told_once_none_is_found(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.refusals["batches"] = deque([200])
        snapshot = here.run(trio())
        assert here.server.batches.made == []
    assert why(snapshot).startswith("Here sent no batch.")


def test_a_file_that_is_never_found_is_not_uploaded_for_ever(store: Store) -> None:
    with parked(script(), store, pace=replace(QUICK, give_up_s=0.3)) as here:
        here.server.batches.files = Forgetful()
        snapshot = here.run(trio())
    assert snapshot.status is RunStatus.FAILED and "Cannot find file" in why(snapshot)


def test_an_endpoint_that_lists_no_files_takes_jobs_all_the_same(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.refusals |= {"files": deque([503]), "list": deque([405] * 9)}
        assert here.run(trio()).status is RunStatus.SUCCEEDED
        assert asked_once(here.server)
