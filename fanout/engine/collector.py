"""Collects what runs ask of a provider's batch, makes jobs of it, and hands the answers back.

One of it lives on the engine's loop. What it does is in the database first, so it forgets nothing
with its process: a run that goes on asks the same again, and finds its answer or its job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync

from fanout.engine.collecting import Collecting
from fanout.engine.provider_job import ProviderJob
from fanout.engine.rooms import Rooms
from fanout.errors import StoreError
from fanout.kernel.recorder import Recorder
from fanout.providers.batch_api.client import BatchApi
from fanout.store.provider_jobs import ProviderJobs
from fanout.store.provider_values import Job, Kept, Parked, Queue, Waiting
from fanout.types import RunStatus

log = logging.getLogger(__name__)

Result = TypeVar("Result")
_OVERLAP_S = 10.0
"""A transaction that was open at the last look may have ended since."""
_AGAIN_S = 1.0
_AT_ONCE = 100_000
"""Requests that are written down together."""
_ENDED = (RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How the jobs of one endpoint are asked for."""

    host: str
    api: Callable[[], BatchApi]
    """ProviderError where the endpoint is gone."""


class _Waiter:
    __slots__ = ("event", "kept", "waiting")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.waiting = 0
        self.kept: Kept | None = None


class Collector:
    """Used on the engine's loop only."""

    def __init__(self, jobs: ProviderJobs, pace: Collecting) -> None:
        self._jobs = jobs
        self._pace = pace
        self._waiters: dict[str, _Waiter] = {}
        self._links: dict[Queue, Link] = {}
        self._working: dict[str, ProviderJob] = {}
        self._rooms = Rooms(pace)
        self._asked: list[Parked] = []
        self._at_once = _AT_ONCE
        self._left: list[str] = []
        self._withdrawn: list[tuple[str, str | None]] = []
        self._recorders: dict[str, Recorder] = {}
        """Runs that have ended and may not be written down yet."""
        self._seen_at = 0.0
        self._renewed_s = self._swept_s = float("-inf")
        self._woken = anyio.Event()
        self._forgetting = anyio.Lock()
        self._logged = ""
        self._scope: anyio.CancelScope | None = None
        self._closing = False
        self._over = anyio.Event()

    async def answer(self, asked: Parked, link: Link) -> Kept:
        """Wait for the answer to a request, however long; one that is there comes at once."""
        waiter = self._waiters.setdefault(asked.key, _Waiter())
        waiter.waiting += 1
        self._links[replace(asked.queue, model="")] = link
        self._asked.append(asked)
        self._woken.set()
        try:
            await waiter.event.wait()
        finally:
            waiter.waiting -= 1
            if not waiter.waiting:
                self._waiters.pop(asked.key, None)
                if waiter.kept is None:
                    self._left.append(asked.key)
                    self._woken.set()
        assert waiter.kept is not None, "its event is set only with an answer"
        return waiter.kept

    def called_off(self, run: str, call: str | None) -> None:
        """Somebody stopped a run, or one call of it: nobody waits for those answers any more."""
        self._withdrawn.append((run, call))
        self._woken.set()

    def ended(self, recorder: Recorder) -> None:
        """A run has ended: once it is written down, its answers need not be kept here."""
        self._recorders[recorder.snapshot.run_id] = recorder
        self._woken.set()

    async def anew(self, run: str) -> None:
        """A run that had ended is asked again: what it was told before is no answer to that."""
        async with self._forgetting:
            self._recorders.pop(run, None)
            await self._record(self._jobs.requests.forget, run)

    async def run(self) -> None:
        """Work until cancelled; waits without a look at anything while there is nothing to do."""
        try:
            async with anyio.create_task_group() as group:
                self._scope = group.cancel_scope
                if self._closing:
                    group.cancel_scope.cancel()
                await self._work(group)
        finally:
            self._over.set()

    async def aclose(self) -> None:
        """End it, before the connections that it uses are closed; the jobs go on without it."""
        self._closing = True
        if self._scope is not None:
            self._scope.cancel()
        await self._over.wait()

    async def _work(self, group: TaskGroup) -> None:
        while True:
            self._woken = anyio.Event()
            for step in (self._withdraw, self._park, self._unpark, self._flush, self._look):
                try:
                    await step(group)
                except Exception:
                    # Rows that wait must not wait for ever because of one that can't be kept.
                    log.exception(
                        "collecting for batches at the provider met a mistake of Fanout's"
                    )
                    await anyio.sleep(_AGAIN_S)
            with anyio.move_on_after(None if self._idle else self._pace.look_s):
                await self._woken.wait()

    @property
    def _idle(self) -> bool:
        busy = self._waiters, self._working, self._recorders
        news = self._asked, self._left, self._withdrawn
        return not any((*busy, *news))

    async def _withdraw(self, _: TaskGroup) -> None:
        """Write down what was called off since the last time."""
        while self._withdrawn:
            for job in await self._record(self._jobs.requests.withdraw, *self._withdrawn[0]):
                if job in self._working:
                    self._working[job].nudge()
            del self._withdrawn[0]

    async def _park(self, _: TaskGroup) -> None:
        """Write down what was asked; fewer at once where some can't be, so that one of which that
        is so for good holds up no other."""
        asked, self._asked = self._asked[: self._at_once], self._asked[self._at_once :]
        wanted = list({one.key: one for one in asked if one.key in self._waiters}.values())
        try:
            if wanted:
                self._deliver(await self._record(self._jobs.requests.park, wanted))
        except Exception:
            self._asked += wanted
            self._at_once = max(1, len(wanted) // 2)
            raise
        self._at_once = min(2 * self._at_once, _AT_ONCE)

    async def _unpark(self, _: TaskGroup) -> None:
        left = list(self._left)
        gone = [key for key in left if key not in self._waiters]
        if gone:
            await self._record(self._jobs.requests.unpark, gone)
        del self._left[: len(left)]

    async def _flush(self, group: TaskGroup) -> None:
        """Make jobs of what has waited long enough."""
        if not self._waiters:
            return
        for waiting in await self._record(self._jobs.requests.waiting):
            link = self._links.get(replace(waiting.queue, model=""))
            if link is None or self._rooms.full(waiting.queue) or not self._due(waiting):
                continue
            most = self._rooms.most(waiting.queue)
            gather = partial(
                self._jobs.gather,
                most=most or self._pace.most,
                most_bytes=self._pace.most_bytes,
            )
            while job := await self._record(gather, waiting.queue, link.host):
                self._begin(job, link, group)
                if most is not None:
                    break

    def _due(self, waiting: Waiting) -> bool:
        pace = self._pace
        return (
            (waiting.now - waiting.newest >= pace.quiet_s and not self._asked)
            or waiting.now - waiting.oldest >= pace.longest_s
            or waiting.count >= pace.most
            or waiting.size >= pace.most_bytes
        )

    async def _look(self, group: TaskGroup) -> None:
        """What other processes, and earlier ones, mean for this one."""
        now_s = anyio.current_time()
        if self._working and now_s - self._renewed_s > self._pace.stale_s / 4:
            await self._record(self._jobs.renew, list(self._working))
            self._renewed_s = now_s
        if self._links:
            hosts = {queue: link.host for queue, link in self._links.items()}
            stale_s = self._pace.stale_s
            for job in await self._record(self._jobs.adopt, set(self._working), hosts, stale_s):
                self._begin(job, self._links[replace(job.queue, model="")], group)
        if self._waiters:
            since = self._seen_at - _OVERLAP_S
            self._seen_at, keys = await self._record(self._jobs.requests.news, since)
            ours = [key for key in keys if key in self._waiters]
            if ours:
                self._deliver(await self._record(self._jobs.requests.kept, ours))
        await self._forget()
        if self._links and now_s - self._swept_s > self._pace.sweep_s:
            await self._record(self._jobs.requests.sweep)
            # Look at all answers again: one may have been long on its way into the database.
            self._swept_s, self._seen_at = now_s, 0.0

    async def _forget(self) -> None:
        async with self._forgetting:
            for run, recorder in list(self._recorders.items()):
                if not recorder.settled and not recorder.overtaken:
                    continue
                self._recorders.pop(run, None)
                if recorder.snapshot.status in _ENDED and not recorder.overtaken:
                    await self._record(self._jobs.requests.forget, run)

    def _begin(self, job: Job, link: Link, group: TaskGroup) -> None:
        work = ProviderJob(
            job,
            api=link.api,
            jobs=self._jobs,
            record=self._record,
            pace=self._pace,
            deliver=self._deliver,
            no_room=lambda: self._rooms.none_for(job),
        )
        self._working[job.id] = work
        group.start_soon(self._carry, work)

    async def _carry(self, work: ProviderJob) -> None:
        try:
            await work.carry()
            self._rooms.some_for(work.job)
        except Exception:
            # It stays in the database and is taken up again by whoever starts next.
            log.exception("a batch at the provider was left alone")
            await anyio.sleep(self._pace.stale_s)
        finally:
            self._working.pop(work.job.id, None)
            self._woken.set()

    def _deliver(self, answers: Mapping[str, Kept]) -> None:
        for key, kept in answers.items():
            waiter = self._waiters.get(key)
            if waiter is not None:
                waiter.kept = kept
                waiter.event.set()

    async def _record(self, function: Callable[..., Result], *args: object) -> Result:
        while True:
            try:
                result = await run_sync(partial(function, *args))
            except StoreError as error:
                if str(error) != self._logged:
                    log.warning("batches at the provider wait for the database: %s", error)
                self._logged = str(error)
                await anyio.sleep(_AGAIN_S)
            else:
                self._logged = ""
                return result
