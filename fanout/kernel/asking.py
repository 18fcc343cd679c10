"""One call until it is answered: its models, its attempts, and the waits between them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import anyio

from fanout.errors import ProviderError
from fanout.events import AttemptFailed, AttemptStarted, BranchQueued
from fanout.kernel.bill import Bill
from fanout.kernel.means import Means
from fanout.kernel.outcome import Outcome, bug
from fanout.kernel.requests import Requests, Respell
from fanout.kernel.retries import wait_s
from fanout.kernel.sending import Request
from fanout.policies import RetryPolicy
from fanout.providers.base import Done
from fanout.structured.asking import Rung
from fanout.types import BranchId, BranchPlan, BranchState, Failure, FailureKind, ModelRef, Usage

log = logging.getLogger(__name__)

Then: TypeAlias = Callable[[BranchPlan], Awaitable[None]]
"""What else a branch does once its answer is there, before it is finished."""

_NO_FALLBACK = frozenset({FailureKind.BUG, FailureKind.REFUSED})
"""Another model is not asked because one declined."""


class _Call:
    """One call over all its models and attempts."""

    def __init__(self, plan: BranchPlan) -> None:
        self.plan = plan
        self.number = 0
        """Requests so far."""
        self.restarts = 0
        self.began_s: float | None = None
        """When the first of them was sent."""
        self.sent = False
        """Whether the model that is asked now was sent anything."""
        self.plainer: Rung | None = None


class Asking:
    """Asks for the branches of one run. Used on the engine's loop only."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._recorder = means.recorder
        self._bills: dict[BranchId, Bill] = {}
        self._requests = Requests(means)

    def bill(self, branch_id: BranchId) -> Bill:
        """What the call used over all its requests; told once."""
        return self._bills.pop(branch_id, Bill())

    async def until_answered(self, plan: BranchPlan, then: Then | None) -> Outcome:
        """How the call ended; expected failures are in the outcome, only a Stop raises."""
        call = _Call(plan)
        models = (plan.model, *plan.fallback)
        try:
            for model, following in zip(models, (*models[1:], None), strict=True):
                outcome = await self._at(call, model, following, then)
                if outcome is not None:
                    return outcome
            raise AssertionError("the last model has nobody to fall back to")
        except Exception as error:
            # Whatever it is, it must not reach the siblings.
            return Outcome(state=BranchState.FAILED, failure=self._bug(call, error))

    async def _at(
        self, call: _Call, model: ModelRef, following: ModelRef | None, then: Then | None
    ) -> Outcome | None:
        """Ask one model until it answers or gives up; None where the following one is to try."""
        policy = self._means.retries(model)
        allowed = call.number + policy.attempts
        tries = 0
        call.plainer, call.sent = None, False
        while True:
            tries += 1
            done: Done | None = None
            try:
                done = await self._once(call, model)
                if then is not None:
                    await then(call.plan)
                return Outcome(state=BranchState.DONE, done=done)
            except Respell as error:
                call.plainer = error.rung
                await self._back_off(call, error.failure, 0.0, allowed)
                continue
            except ProviderError as error:
                failure = error.failure
            except Exception as error:
                failure = self._bug(call, error)
            if done is not None:
                # The model has answered; it was what came after that went wrong.
                return Outcome(state=BranchState.FAILED, failure=failure, done=done)
            wrote = bool(self._recorder.snapshot.branch(call.plan.id).text)
            pause_s = wait_s(policy, failure, tries, restarts=call.restarts, wrote=wrote)
            if pause_s is not None and not self._too_late(call, policy, pause_s):
                call.restarts += wrote
                await self._back_off(call, failure, pause_s, allowed)
                continue
            if call.sent:
                # An endpoint that was removed meanwhile has no gate to tell.
                with suppress(ProviderError):
                    self._means.calls.gate(model.endpoint).gave_up(failure)
            if following is None or failure.kind in _NO_FALLBACK:
                return Outcome(state=_ended(failure), failure=failure)
            await self._back_off(call, failure, 0.0, call.number + 1, following)
            return None

    async def _once(self, call: _Call, model: ModelRef) -> Done:
        """One attempt, queued first."""
        plan = call.plan
        self._recorder.emit(BranchQueued(at=self._recorder.now_s(), id=plan.id))
        call.number += 1
        if not plan.messages:
            self._started(call, model)
            return Done(finish_reason="stop", usage=Usage())
        await self._means.openings.wait(plan)
        request = Request(
            plan=plan,
            model=model,
            plainer=call.plainer,
            bill=self._bills.setdefault(plan.id, Bill()),
            started=lambda: self._started(call, model),
        )
        return await self._requests.answer(request)

    def _started(self, call: _Call, model: ModelRef) -> None:
        at = self._recorder.now_s()
        call.sent = True
        call.began_s = at if call.began_s is None else call.began_s
        self._means.openings.sent(call.plan.id)
        fallback = None if model == call.plan.model else model
        self._recorder.emit(
            AttemptStarted(at=at, id=call.plan.id, attempt=call.number, model=fallback)
        )

    def _bug(self, call: _Call, error: Exception) -> Failure:
        run = self._recorder.snapshot.run_id
        log.error("branch %s of run %s", call.plan.id, run, exc_info=error)
        return bug(error)

    def _too_late(self, call: _Call, policy: RetryPolicy, pause_s: float) -> bool:
        """Whether another attempt would begin later than the policy allows."""
        if call.began_s is None:
            return False
        return self._recorder.now_s() + pause_s > call.began_s + policy.total_s

    async def _back_off(
        self,
        call: _Call,
        failure: Failure,
        pause_s: float,
        allowed: int,
        following: ModelRef | None = None,
    ) -> None:
        self._means.openings.failed(call.plan.id)
        at = self._recorder.now_s()
        self._recorder.emit(
            AttemptFailed(
                at=at,
                id=call.plan.id,
                failure=failure,
                retry_at=at + pause_s,
                attempts_allowed=max(allowed, call.number + 1),
                next_model=following,
            )
        )
        await anyio.sleep(pause_s)


def _ended(failure: Failure) -> BranchState:
    if failure.kind is FailureKind.BUDGET:
        return BranchState.SKIPPED
    return BranchState.TIMED_OUT if failure.timed_out else BranchState.FAILED
