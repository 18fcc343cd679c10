"""All that a workflow can do: fan out, ask once, combine; and be stopped in the middle of it.

A branch ends in exactly one `BranchFinished`, whatever happens to it: an expected failure, a
person's Stop, a bug of ours or the end of the process. Its siblings never notice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio

from fanout.errors import ProviderError
from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
)
from fanout.kernel.attempt import attempt
from fanout.kernel.calls import Calls
from fanout.kernel.recorder import Recorder
from fanout.kernel.retries import RetryPolicy
from fanout.providers.base import Done, TextPiece
from fanout.snapshot import Branch
from fanout.tokens import estimated_usage
from fanout.types import BranchId, BranchPlan, BranchState, Failure, FailureKind, Usage

log = logging.getLogger(__name__)


class RunContext:
    """One run's hands. Used on the engine's loop only."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        calls: Calls,
        retries: RetryPolicy | None = None,
        only: frozenset[BranchId] | None = None,
    ) -> None:
        """`only` names the branches to ask again in a resumed run; the others stay as they are."""
        self._recorder = recorder
        self._calls = calls
        self._only = only
        self._retries = retries or RetryPolicy()
        self._scopes: dict[BranchId, anyio.CancelScope] = {}
        self._stopping: set[BranchId] = set()
        self.stopped = False
        """True once a person stopped the whole run: nothing new is started."""

    @property
    def planned(self) -> tuple[BranchPlan, ...]:
        """The branches as they were planned when the run started."""
        return tuple(branch.plan for branch in self._recorder.snapshot.branches)

    async def fan_out(self, plans: Sequence[BranchPlan]) -> tuple[Branch, ...]:
        """Ask all at once and wait for all; results in the order of the plans."""
        async with anyio.create_task_group() as group:
            for plan in plans:
                if self._only is None or plan.id in self._only:
                    group.start_soon(self.ask, plan)
        return tuple(self._recorder.snapshot.branch(plan.id) for plan in plans)

    async def combine(
        self, plan: BranchPlan, *, kind: str, heading: str, used: tuple[BranchId, ...]
    ) -> Branch:
        """Write the combined answer; a concatenation needs no call, its text is ready."""
        at = self._recorder.now_s()
        self._recorder.emit(
            AggregatePlanned(at=at, kind=kind, heading=heading, used=used, plan=plan)
        )
        if kind == "concatenation":
            return self._write_at_once(plan)
        return await self.ask(plan)

    async def ask(self, plan: BranchPlan) -> Branch:
        """Make one call with its retries; the finished branch. Raises only when cancelled."""
        outcome = _Outcome(state=BranchState.STOPPED)
        try:
            with anyio.CancelScope() as scope:
                self._scopes[plan.id] = scope
                if self.stopped or plan.id in self._stopping:
                    scope.cancel()
                outcome = await self._until_answered(plan)
        finally:
            self._scopes.pop(plan.id, None)
            self._finish(plan, outcome)
        return self._recorder.snapshot.branch(plan.id)

    def stop(self, branch_id: BranchId | None = None) -> None:
        """Stop one branch, or everything; partial text is kept and connections close."""
        if branch_id is None:
            self.stopped = True
            targets = list(self._scopes.values())
        else:
            self._stopping.add(branch_id)
            targets = [self._scopes[branch_id]] if branch_id in self._scopes else []
        for scope in targets:
            scope.cancel()

    async def _until_answered(self, plan: BranchPlan) -> _Outcome:
        number = 0
        while True:
            number += 1
            try:
                return await self._once(plan, number)
            except ProviderError as error:
                failure = error.failure
            except Exception as error:
                log.exception("branch %s of run %s", plan.id, self._recorder.snapshot.run_id)
                failure = _bug(error)
            wrote = bool(self._recorder.snapshot.branch(plan.id).text)
            wait_s = self._retries.wait_s(failure, number, wrote=wrote)
            if wait_s is None:
                state = BranchState.TIMED_OUT if failure.timed_out else BranchState.FAILED
                return _Outcome(state=state, failure=failure)
            await self._back_off(plan, failure, wait_s)

    async def _once(self, plan: BranchPlan, number: int) -> _Outcome:
        self._recorder.emit(BranchQueued(at=self._recorder.now_s(), id=plan.id))
        provider = self._calls.provider(plan.model)
        async with self._calls.slots(plan.model.endpoint):
            started = AttemptStarted(at=self._recorder.now_s(), id=plan.id, attempt=number)
            self._recorder.emit(started)

            def write(piece: TextPiece) -> None:
                wrote = BranchWrote(
                    at=self._recorder.now_s(), id=plan.id, text=piece.text, pieces=piece.pieces
                )
                self._recorder.emit(wrote)

            return _Outcome(state=BranchState.DONE, done=await attempt(provider, plan, write))

    async def _back_off(self, plan: BranchPlan, failure: Failure, wait_s: float) -> None:
        at = self._recorder.now_s()
        self._recorder.emit(
            AttemptFailed(
                at=at,
                id=plan.id,
                failure=failure,
                retry_at=at + wait_s,
                attempts_allowed=self._retries.attempts,
            )
        )
        await anyio.sleep(wait_s)

    def _finish(self, plan: BranchPlan, outcome: _Outcome) -> None:
        branch = self._recorder.snapshot.branch(plan.id)
        usage = outcome.done.usage if outcome.done else None
        if usage is None:
            usage = _usage_without_report(branch, outcome.failure)
        self._recorder.emit(
            BranchFinished(
                at=self._recorder.now_s(),
                id=plan.id,
                state=outcome.state,
                usage=usage,
                cost=self._calls.cost(plan, usage),
                failure=outcome.failure,
                finish_reason=outcome.done.finish_reason if outcome.done else None,
            )
        )

    def _write_at_once(self, plan: BranchPlan) -> Branch:
        text = plan.messages[-1].content
        at = self._recorder.now_s()
        self._recorder.emit(BranchQueued(at=at, id=plan.id))
        self._recorder.emit(BranchWrote(at=at, id=plan.id, text=text, pieces=0))
        self._recorder.emit(
            BranchFinished(at=at, id=plan.id, state=BranchState.DONE, usage=Usage())
        )
        return self._recorder.snapshot.branch(plan.id)


class _Outcome:
    """How the attempts of one call ended."""

    __slots__ = ("done", "failure", "state")

    def __init__(
        self, *, state: BranchState, done: Done | None = None, failure: Failure | None = None
    ) -> None:
        self.state = state
        self.done = done
        self.failure = failure


_NOT_BILLED = frozenset(
    {
        FailureKind.AUTH,
        FailureKind.QUOTA,
        FailureKind.RATE_LIMIT,
        FailureKind.CONNECTION,
        FailureKind.UNKNOWN_MODEL,
        FailureKind.BUDGET,
    }
)


def _usage_without_report(branch: Branch, failure: Failure | None) -> Usage:
    """Tokens where none were reported: none if the request was refused, else an estimate."""
    never_sent = branch.started_s is None
    if never_sent or (failure is not None and failure.kind in _NOT_BILLED and not branch.text):
        return Usage()
    return estimated_usage(branch)


def _bug(error: Exception) -> Failure:
    return Failure(
        kind=FailureKind.BUG,
        message=f"Fanout made a mistake here ({type(error).__name__}), not the model. "
        "The other branches go on; please report it with the log.",
    )
