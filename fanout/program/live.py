"""A run that goes on, for a program: its events as they happen, and what can be done about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyio import CancelScope
from anyio.to_thread import run_sync

from fanout.engine.handle import RunHandle
from fanout.errors import InputError
from fanout.events import Event
from fanout.program.result import Result
from fanout.snapshot import Snapshot
from fanout.types import AGGREGATE, BranchId

LOOK_S = 0.25
"""How soon a cancelled program is let go."""
ENDS_S = 5.0
"""How long a stopped run is waited for."""


class Live:
    """Iterate over it for the events; any number of times, each from the first one on."""

    def __init__(self, handle: RunHandle) -> None:
        self._handle = handle

    @property
    def run_id(self) -> str:
        return self._handle.id

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture: every branch with its text so far."""
        return self._handle.snapshot

    async def __aiter__(self) -> AsyncIterator[Event]:
        seen = 0
        while True:
            over = self._handle.snapshot.status.finished
            events = self._handle.events
            for event in events[seen:]:
                yield event
            seen = len(events)
            if over:
                return
            await run_sync(self._handle.wait_beyond, seen, LOOK_S)

    async def result(self) -> Result:
        """What came of it, once it has ended."""
        while not self._handle.snapshot.status.finished:
            await run_sync(self._handle.wait, LOOK_S)
        return Result(snapshot=self._handle.snapshot, now_s=self._handle.now_s())

    def stop(self, branch: str | None = None) -> None:
        """Stop one branch, or the whole run; its text so far is kept. InputError where there is no
        such branch."""
        if branch is not None and not self._has(branch):
            there = ", ".join(call.id for call in self.snapshot.calls)
            raise InputError(f'This run has no branch "{branch}" to stop. There are: {there}.')
        self._handle.stop(None if branch is None else BranchId(branch))

    def _has(self, branch: str) -> bool:
        # What combines may be called off before it has begun.
        planned = self.snapshot.aggregate_kind is not None and branch == AGGREGATE
        return planned or branch in {call.id for call in self.snapshot.calls}

    async def aclose(self) -> None:
        """Stop it, unless it has ended, and wait until its connections are closed."""
        if self._handle.snapshot.status.finished:
            return
        self._handle.stop()
        with CancelScope(shield=True):
            await run_sync(self._handle.wait, ENDS_S)
