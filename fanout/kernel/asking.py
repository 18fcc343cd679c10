"""One call until it is answered: its slot, its form, its attempts and the waits between them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import anyio
import anyio.lowlevel

from fanout.errors import FormRefused, ProviderError
from fanout.events import AttemptFailed, AttemptStarted, BranchQueued, BranchWrote
from fanout.kernel.attempt import attempt
from fanout.kernel.calls import Calls
from fanout.kernel.outcome import Outcome, bug, usage_of
from fanout.kernel.recorder import Recorder
from fanout.kernel.retries import wait_s
from fanout.policies import HoldReason, RetryPolicy
from fanout.providers.base import Done, TextPiece
from fanout.structured.asking import Rung
from fanout.structured.reading import read
from fanout.types import BranchId, BranchPlan, BranchState, Failure, FailureKind, Usage

log = logging.getLogger(__name__)

Then: TypeAlias = Callable[[BranchPlan], Awaitable[None]]
"""What else a branch does once its answer is there, before it is finished."""


class Asking:
    """Asks for the branches of one run. Used on the engine's loop only."""

    def __init__(self, recorder: Recorder, calls: Calls, retries: RetryPolicy) -> None:
        self._recorder = recorder
        self._calls = calls
        self._retries = retries
        self._spent: dict[BranchId, Usage] = {}

    def spent_before(self, branch_id: BranchId) -> Usage:
        """What an answer without the form had used before it was asked for again; told once."""
        return self._spent.pop(branch_id, Usage())

    async def until_answered(self, plan: BranchPlan, then: Then | None) -> Outcome:
        """How the call ended; expected failures are in the outcome, only a Stop raises."""
        number = 0
        plainer: Rung | None = None
        while True:
            number += 1
            done: Done | None = None
            try:
                done = await self._once(plan, number, plainer)
                if then is not None:
                    await then(plan)
                return Outcome(state=BranchState.DONE, done=done)
            except _Respell as error:
                plainer = error.rung
                await self._back_off(plan, error.failure, 0.0)
                continue
            except ProviderError as error:
                failure = error.failure
            except Exception as error:
                log.exception("branch %s of run %s", plan.id, self._recorder.snapshot.run_id)
                failure = bug(error)
            wrote = bool(self._recorder.snapshot.branch(plan.id).text)
            pause_s = wait_s(self._retries, failure, number, wrote=wrote)
            if pause_s is None:
                state = BranchState.TIMED_OUT if failure.timed_out else BranchState.FAILED
                return Outcome(state=state, failure=failure, done=done)
            await self._back_off(plan, failure, pause_s)

    async def _once(self, plan: BranchPlan, number: int, plainer: Rung | None) -> Done:
        self._recorder.emit(BranchQueued(at=self._recorder.now_s(), id=plan.id))
        if not plan.messages:
            self._recorder.emit(
                AttemptStarted(at=self._recorder.now_s(), id=plan.id, attempt=number)
            )
            return Done(finish_reason="stop", usage=Usage())
        async with self._calls.gate(plan.model.endpoint).admit(
            run=self._recorder.snapshot.run_id, model=plan.model.model, tokens=0, held=_unheard
        ):
            # It may have been called off in the moment in which the slot came free.
            await anyio.lowlevel.checkpoint_if_cancelled()
            started = AttemptStarted(at=self._recorder.now_s(), id=plan.id, attempt=number)
            self._recorder.emit(started)
            done, rung = await self._in_form(plan, plainer)
        if plan.form is not None and rung is not None and done.finish_reason != "length":
            lower = self._learn(plan, rung)
            if lower is not None and plainer is None:
                answered = Outcome(state=BranchState.DONE, done=done)
                self._spent[plan.id] = usage_of(self._recorder.snapshot.branch(plan.id), answered)
                raise _Respell(lower)
        return done

    async def _in_form(self, plan: BranchPlan, plainer: Rung | None) -> tuple[Done, Rung | None]:
        """Ask in the best form that the model is known to manage; what it refuses is learnt."""
        provider = self._calls.provider(plan.model)

        def write(piece: TextPiece) -> None:
            at = self._recorder.now_s()
            self._recorder.emit(
                BranchWrote(at=at, id=plan.id, text=piece.text, pieces=piece.pieces)
            )

        while True:
            rung = None if plan.form is None else plainer or self._calls.ladder.rung(plan.model)
            try:
                return await attempt(provider, plan, rung, write), rung
            except FormRefused:
                # A plainer form may be refused where a better one is taken: that is no lesson.
                plainer = None if plainer is None else plainer.below
                if plainer is None and not (rung and self._calls.ladder.refused(plan.model, rung)):
                    raise

    def _learn(self, plan: BranchPlan, rung: Rung) -> Rung | None:
        """Remember whether the form was kept; the plainer one where asking once more may help."""
        assert plan.form is not None
        reading = read(plan.form.lenient, self._recorder.snapshot.branch(plan.id).text)
        if reading.value is not None and (rung is Rung.LINES or reading.rung == "json"):
            self._calls.ladder.worked(plan.model, rung)
            return None
        # A value outside its limits says nothing against the form.
        if reading.rung != "json":
            self._calls.ladder.ignored(plan.model, rung)
        return rung.below if reading.value is None else None

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


def _unheard(_reason: HoldReason, _for_s: float | None) -> None: ...


class _Respell(Exception):
    """The answer kept no form; the model is asked once more, in a plainer one."""

    def __init__(self, rung: Rung) -> None:
        super().__init__(rung)
        self.rung = rung

    failure = Failure(
        kind=FailureKind.BAD_RESPONSE,
        message="The answer was not in the form that was asked for; the model is asked once more, "
        "with the form spelt out.",
        retryable=True,
    )
