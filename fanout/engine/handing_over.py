"""Hands a job over to the provider: its file, then the job itself, and no job twice.

Where the making of one failed without an answer there may be a job all the same, and it may be
billed. So the provider is asked for it before anything else is done, and before it is given up.
"""

from __future__ import annotations

from fanout.engine.collecting import Collecting
from fanout.engine.job_notes import JobNotes
from fanout.engine.patience import Patience
from fanout.errors import ProviderError
from fanout.providers.batch_api.answers import input_line
from fanout.providers.batch_api.client import BatchApi, FileMissing, NotMade
from fanout.store.provider_values import JobState
from fanout.types import Failure

_TRIES = 3
"""How often a file is named that the provider says it doesn't have."""


class HandingOver:
    """Of one job that isn't at the provider for sure. Used on the engine's loop only."""

    def __init__(self, notes: JobNotes, pace: Collecting) -> None:
        self._notes = notes
        self._pace = pace
        self._job = notes.job
        self._file = notes.job.input_file
        self._again = notes.job.adopted
        """Whether a file of it may lie there that nobody knows of."""
        self._doubt = notes.job.state is JobState.UPLOADED
        """Whether the job may be there."""
        self._last: Failure | None = None
        """Why it is given up unless it is there."""

    async def carried_out(self) -> str:
        """What the provider calls it; "" where it could not be handed over."""
        patience = Patience(self._pace)
        while True:
            doubted = self._doubt
            try:
                return await self._tried()
            except ProviderError as error:
                problem, again = error.failure, error.failure.retryable
                if isinstance(error, FileMissing):
                    # Some say so of a file that they have just taken.
                    self._file = self._file if patience.tries < _TRIES else ""
                    again = True
                if not self._doubt and (patience.over or not again):
                    await self._notes.fail(problem)
                    return ""
                if doubted and patience.over:
                    await self._notes.tell(error)
                elif not doubted and self._doubt and (patience.over or not again):
                    self._last = problem
                self._again = True
            await patience.wait(problem)

    async def _tried(self) -> str:
        notes, api = self._notes, self._notes.api()
        if self._doubt:
            found = await api.find(self._job.id, self._file, self._job.made_at)
            if found is not None:
                await notes.mine(notes.jobs.sent, found.id)
                return found.id
            self._doubt = False
            if self._last is not None:
                await notes.fail(self._last)
                return ""
        wanted = await notes.record(notes.jobs.wanted, self._job.id)
        if wanted and not self._file:
            self._file = await self._uploaded(api)
        if not wanted or not self._file:
            await notes.ended("not needed")
            return ""
        self._doubt = True
        try:
            made = await api.create(self._file, self._job.id)
        except (NotMade, FileMissing):
            self._doubt = False
            raise
        await notes.mine(notes.jobs.sent, made.id)
        return made.id

    async def _uploaded(self, api: BatchApi) -> str:
        """Its file at the provider; "" where nobody wants any of it by now."""
        notes, name = self._notes, f"fanout-{self._job.id}.jsonl"
        if self._again:
            for stray in await api.strays(name):
                await api.discard(stray)
        if not await notes.record(notes.jobs.prune, self._job.id):
            return ""
        file = await api.upload(name, await notes.record(self._bytes))
        await notes.mine(notes.jobs.uploaded, file)
        return file

    def _bytes(self) -> bytes:
        return b"".join(
            input_line(key, body) for key, body in self._notes.jobs.bodies(self._job.id)
        )
