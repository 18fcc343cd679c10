"""The collector where the database is odd: nobody who waits is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select, text, update

from fanout.engine.collecting import Collecting
from fanout.engine.collector import Collector, Link
from fanout.errors import ProviderError
from fanout.providers.batch_api import words
from fanout.providers.batch_api.answers import unpacked
from fanout.providers.batch_api.client import BatchApi
from fanout.store.database import reading, writing
from fanout.store.provider_values import Kept, Parked, Queue
from fanout.store.schema_batches import provider_requests
from fanout.store.store import Store
from fanout.types import RunStatus
from tests.batch.parked import HERE, QUICK, comes_true, ended, parked
from tests.rig import script, trio

QUEUE = Queue(endpoint=HERE, model="m")
PATIENCE_S = 20.0


def no_api() -> BatchApi:
    raise ProviderError(words.not_offered("Here"))


LINK = Link(host="host", api=no_api)


def asked(key: str, body: str = "{}") -> Parked:
    return Parked(key=key, run="r", call="c", queue=QUEUE, body=body, shape="s")


@asynccontextmanager
async def collecting(store: Store, pace: Collecting = QUICK) -> AsyncIterator[Collector]:
    collector = Collector(store.provider_jobs, pace)
    async with anyio.create_task_group() as group:
        group.start_soon(collector.run)
        yield collector
        await collector.aclose()


async def test_a_request_that_can_not_be_kept_holds_up_no_other(tmp_path: Path) -> None:
    answers: list[Kept] = []
    with Store.open(tmp_path) as store:
        async with collecting(store) as collector, anyio.create_task_group() as group:
            # Half a character on its own is text that no database takes.
            group.start_soon(collector.answer, asked("odd", "\ud800"), LINK)

            async def wait(key: str) -> None:
                answers.append(await collector.answer(asked(key), LINK))
                if len(answers) == 3:
                    group.cancel_scope.cancel()

            with anyio.fail_after(PATIENCE_S):
                async with anyio.create_task_group() as waiting:
                    for key in ("a", "b", "c"):
                        waiting.start_soon(wait, key)
    failures = [unpacked(kept.answer).failure for kept in answers]
    assert failures == [words.not_offered("Here")] * 3


async def test_an_answer_that_was_long_on_its_way_into_the_database_is_seen(
    tmp_path: Path,
) -> None:
    kept: dict[str, Kept] = {}
    with Store.open(tmp_path) as here, Store.open(tmp_path) as elsewhere:
        jobs = elsewhere.provider_jobs
        jobs.requests.park([asked("early"), asked("late")])
        job = jobs.gather(QUEUE, LINK.host, most=9, most_bytes=99)
        assert job is not None
        async with collecting(here, replace(QUICK, sweep_s=0.2)) as collector:

            async def wait(key: str) -> None:
                kept[key] = await collector.answer(asked(key), LINK)

            with anyio.fail_after(PATIENCE_S):
                async with anyio.create_task_group() as group:
                    group.start_soon(wait, "late")
                    await wait_for(lambda: owned(here, 1))
                    async with anyio.create_task_group() as first:
                        first.start_soon(wait, "early")
                        await wait_for(lambda: owned(here, 2))
                        jobs.answered(job.id, {"early": "one"})
                    with writing(here._engine) as connection:
                        long_ago = provider_requests.c.parked_at - 60.0
                        connection.execute(
                            update(provider_requests)
                            .where(provider_requests.c.key == "late")
                            .values(answer="two", answered_at=long_ago)
                        )
    assert {key: one.answer for key, one in kept.items()} == {"early": "one", "late": "two"}


async def wait_for(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - another thread writes it
        await anyio.sleep(0.01)


def owned(store: Store, count: int) -> bool:
    """Whether so many requests are waited for by that process."""
    with reading(store._engine) as connection:
        owners = list(connection.execute(select(provider_requests.c.owner)).scalars())
    return owners.count(store.owner) == count


def renamed(store: Store, before: str, after: str) -> None:
    with writing(store._engine) as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def test_what_was_asked_while_the_database_made_a_mistake_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(tmp_path) as store, parked(script(), store) as here:
        renamed(store, "provider_requests", "elsewhere")
        handle = here.row(trio())
        assert comes_true(lambda: "met a mistake of Fanout's" in caplog.text)
        renamed(store, "elsewhere", "provider_requests")
        assert ended(handle).status is RunStatus.SUCCEEDED
