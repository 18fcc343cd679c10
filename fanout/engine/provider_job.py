"""One job at the provider, from its file to its last answer, wherever a crash left it.

Everything is written down before and after it is done, and where what was done is not known, the
provider is asked first: so no crash loses a job or makes it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

import anyio

from fanout.engine.collecting import Collecting
from fanout.engine.handing_over import HandingOver
from fanout.engine.job_notes import JobNotes, NotOurs, Record
from fanout.engine.patience import Patience
from fanout.errors import ProviderError
from fanout.providers.batch_api import words
from fanout.providers.batch_api.answers import CANCELLED, EXPIRED, BatchAnswer, Line, packed
from fanout.providers.batch_api.client import BatchApi, FileMissing
from fanout.providers.batch_api.remote import JobError, RemoteJob
from fanout.store.provider_jobs import ProviderJobs
from fanout.store.provider_values import Job, JobState, Kept
from fanout.types import Failure

log = logging.getLogger(__name__)

PORTION = 200
"""Answers that are kept in one transaction."""
MOST_TRIES = 50
"""Jobs that a request is put into where the provider has no room for them."""
_BLAMELESS = 3
"""Jobs that a request is put into where others made them fail."""
_SHORT = 3
"""How often files are read that hold fewer lines than the provider says."""
_NO_ROOM = "token_limit_exceeded"


class ProviderJob:
    """Used on the engine's loop only."""

    def __init__(
        self,
        job: Job,
        *,
        api: Callable[[], BatchApi],
        jobs: ProviderJobs,
        record: Record,
        pace: Collecting,
        deliver: Callable[[Mapping[str, Kept]], None],
        no_room: Callable[[], None],
    ) -> None:
        """`api` raises ProviderError where the endpoint is gone; `deliver` hands answers to those
        who wait for them; `no_room` is told where the provider takes no more for now."""
        self.job = job
        self._api = api
        self._jobs = jobs
        self._record = record
        self._pace = pace
        self._notes = JobNotes(job, api=api, jobs=jobs, record=record, deliver=deliver)
        self._no_room = no_room
        self._nudge = anyio.Event()
        self._cancelling = job.state is JobState.CANCELLING

    def nudge(self) -> None:
        """Look at once: somebody may not want it any more."""
        self._nudge.set()

    async def carry(self) -> None:
        """See to it until it is over; expected failures are answers to its requests."""
        try:
            remote = self.job.remote
            if self.job.state is not JobState.ANSWERED:
                remote = remote or await HandingOver(self._notes, self._pace).carried_out()
                seen = await self._looked_at(remote) if remote else None
                if seen is not None and await self._fetched(seen):
                    await self._end(seen)
            await self._tidy(remote)
        except NotOurs:
            log.info("a batch at the provider is another process's now")

    async def _looked_at(self, remote: str) -> RemoteJob | None:
        """How it ended; None where the provider lost it."""
        patience, misses, called_off = Patience(self._pace), 0, False
        pause_s, status = self._pace.first_poll_s, ""
        while True:
            self._nudge = anyio.Event()
            try:
                api = self._api()
                if not self._cancelling and not await self._record(self._jobs.wanted, self.job.id):
                    await self._notes.mine(self._jobs.cancelling)
                    self._cancelling = True
                if self._cancelling and not called_off:
                    await api.cancel(remote)
                    called_off = True
                seen = await api.look(remote)
                if seen is not None and seen.over:
                    return seen
                if seen is not None and seen.status != status:
                    status = seen.status
                    await self._notes.mine(self._jobs.looked, status)
                misses = 0 if seen is not None else misses + 1
                if misses == _SHORT:
                    await self._notes.fail(words.lost(api.name))
                    return None
                patience = Patience(self._pace)
            except ProviderError as error:
                if patience.over:
                    await self._notes.tell(error)
                await patience.wait(error.failure)
                continue
            with anyio.move_on_after(pause_s):
                await self._nudge.wait()
            pause_s = min(pause_s * 1.5, self._pace.longest_poll_s)

    async def _fetched(self, seen: RemoteJob) -> bool:
        """Keep all its answers; False where the provider has them no more."""
        patience, short = Patience(self._pace), 0
        while True:
            try:
                api, lines = self._api(), 0
                for file in filter(None, (seen.output_file, seen.error_file)):
                    lines += await self._read(api, file)
                short += seen.told is not None and lines < seen.told
                if seen.told is None or lines >= seen.told or short == _SHORT:
                    return True
                await patience.wait(None)
            except ProviderError as error:
                if patience.over and isinstance(error, FileMissing):
                    await self._notes.fail(error.failure)
                    return False
                if patience.over:
                    # They were paid for and lie there: whoever mends what is wrong has them.
                    await self._notes.tell(error)
                await patience.wait(error.failure)

    async def _read(self, api: BatchApi, file: str) -> int:
        """Keep the answers in a file; how many lines it has."""
        lines, answers = 0, dict[str, str]()
        async with api.lines(file) as found:
            async for line in found:
                lines += 1
                answer = self._answer(api, line)
                if answer is not None:
                    answers.setdefault(line.key, packed(answer))
                if len(answers) == PORTION:
                    await self._notes.keep(answers)
                    answers = {}
        await self._notes.keep(answers)
        return lines

    def _answer(self, api: BatchApi, line: Line) -> BatchAnswer | None:
        if line.code == EXPIRED:
            return BatchAnswer(failure=words.expired(api.name))
        # Whatever was called off has no answer, and is asked again if it is wanted after all.
        return None if line.code == CANCELLED else line.answer

    async def _end(self, seen: RemoteJob) -> None:
        """Say what became of those that have no answer."""
        api = self._api()
        left = await self._record(self._jobs.unanswered, self.job.id)
        failures: dict[str, Failure] = {}
        match seen.status:
            case "completed":
                failures = dict.fromkeys((key for key, _, _ in left), words.missing(api.name))
            case "expired":
                failures = dict.fromkeys((key for key, _, _ in left), words.expired(api.name))
            case "cancelled" if not self._cancelling:
                failures = dict.fromkeys((key for key, _, _ in left), words.cancelled(api.name))
            case "failed":
                failures = await self._blamed(api, seen, left)
            case _:
                pass
        await self._notes.keep({key: packed(BatchAnswer(failure=f)) for key, f in failures.items()})
        await self._notes.ended(seen.status, seen.errors[0].code if seen.errors else "")

    async def _tidy(self, remote: str) -> None:
        """Leave no file at the provider, as far as it lets itself be asked now."""
        with suppress(ProviderError):
            api = self._api()
            seen = await api.look(remote) if remote else None
            files = {self.job.input_file}
            if seen is not None:
                files |= {seen.input_file, seen.output_file, seen.error_file}
            for file in filter(None, files):
                await api.discard(file)
        await self._notes.mine(self._jobs.over)

    async def _blamed(
        self, api: BatchApi, seen: RemoteJob, left: list[tuple[str, int, bool]]
    ) -> dict[str, Failure]:
        """Which requests of a failed job fail with it; the others go into the next one."""
        errors = seen.errors or (JobError(code="server_error", message="The batch failed."),)
        model = self.job.queue.model
        if any(error.code == _NO_ROOM for error in errors):
            self._no_room()
            failure = words.no_room(api.name)
            return {key: failure for key, tries, _ in left if tries >= MOST_TRIES}
        blamed: dict[str, Failure] = {}
        for error in errors:
            if error.line is not None:
                key = await self._record(self._jobs.place_in, self.job.id, error.line)
                if key is not None:
                    blamed.setdefault(key, api.failure(error, model))
        general = api.failure(errors[0], model)
        for key, tries, _ in left:
            if not blamed or tries >= _BLAMELESS:
                blamed.setdefault(key, general)
        return blamed
