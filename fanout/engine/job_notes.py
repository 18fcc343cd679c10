"""What becomes of a provider's job, written down first and then told to those who wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from fanout.errors import ProviderError
from fanout.providers.batch_api.answers import BatchAnswer, packed
from fanout.providers.batch_api.client import BatchApi
from fanout.store.provider_jobs import ProviderJobs
from fanout.store.provider_values import Job, Kept
from fanout.types import Failure

Result = TypeVar("Result")


class Record(Protocol):
    """Calls the database from the loop, again and again while it can't be used."""

    async def __call__(self, function: Callable[..., Result], *args: object) -> Result: ...


class NotOurs(Exception):
    """Another process sees to the job by now."""


class JobNotes:
    """Used on the engine's loop only."""

    def __init__(
        self,
        job: Job,
        *,
        api: Callable[[], BatchApi],
        jobs: ProviderJobs,
        record: Record,
        deliver: Callable[[Mapping[str, Kept]], None],
    ) -> None:
        """`api` raises ProviderError where the endpoint is gone; `deliver` hands answers to those
        who wait for them."""
        self.job = job
        self.api = api
        self.jobs = jobs
        self.record = record
        self._deliver = deliver

    async def mine(self, note: Callable[..., bool], *args: object) -> None:
        """Note something of the job; NotOurs."""
        if not await self.record(note, self.job.id, *args):
            raise NotOurs

    async def keep(self, answers: Mapping[str, str]) -> None:
        if answers:
            self._deliver(await self.record(self.jobs.answered, self.job.id, answers))

    async def ended(self, status: str, why: str = "") -> None:
        await self.mine(self.jobs.ended, status, why)

    async def fail(self, failure: Failure) -> None:
        """None of its requests that is open gets an answer any more."""
        left = await self.record(self.jobs.unanswered, self.job.id)
        text = packed(BatchAnswer(failure=failure))
        await self.keep({key: text for key, _, _ in left})
        await self.ended("given up", failure.kind)

    async def tell(self, error: ProviderError) -> None:
        """Let those who wait go on without, while the job stays as it is and its answers are kept
        for when they are asked for again. What passes by itself isn't told: they would only ask
        once more."""
        if error.failure.retryable:
            return
        left = await self.record(self.jobs.requests.told, self.job.id)
        told = Kept(answer=packed(BatchAnswer(failure=error.failure)), shape="")
        self._deliver(dict.fromkeys(left, told))
