"""A run being carried out on the engine's loop, and carried on when a branch is asked again."""

from __future__ import annotations

import logging

import anyio

from fanout import pricing
from fanout.engine.endpoints import EndpointBook
from fanout.events import RunFinished, RunResumed
from fanout.kernel.context import RunContext
from fanout.kernel.recorder import Recorder
from fanout.kernel.retries import RetryPolicy
from fanout.providers.base import Provider
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    Cost,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    RunStatus,
    Usage,
)
from fanout.workflows.definition import Workflow
from fanout.workflows.run import outcome, run
from fanout.workflows.sectioning import Resolve

log = logging.getLogger(__name__)


class SharedCalls:
    """The kernel's view of the process: its endpoints, their slots and their prices."""

    def __init__(self, endpoints: EndpointBook) -> None:
        self._endpoints = endpoints

    def provider(self, model: ModelRef) -> Provider:
        return self._endpoints.provider(model)

    def slots(self, endpoint: EndpointId) -> anyio.CapacityLimiter:
        return self._endpoints.slots(endpoint)

    def cost(self, plan: BranchPlan, usage: Usage) -> Cost | None:
        if plan.model.endpoint not in self._endpoints:
            return None
        endpoint = self._endpoints.get(plan.model.endpoint)
        return pricing.cost(endpoint, plan.model.model, usage)


class Execution:
    """Lives on the engine's loop; every method but the constructor is called there."""

    def __init__(
        self,
        *,
        workflow: Workflow,
        topic: str,
        resolve: Resolve,
        recorder: Recorder,
        calls: SharedCalls,
        retries: RetryPolicy,
    ) -> None:
        self._workflow = workflow
        self._topic = topic
        self._resolve = resolve
        self._recorder = recorder
        self._calls = calls
        self._retries = retries
        self._context = self._fresh_context(None)

    async def main(self) -> None:
        """From the first call to the run's last event; nothing expected ever raises out of it."""
        context = self._context
        failure: Failure | None = None
        try:
            await run(self._workflow, self._topic, self._resolve, context)
        except Exception as error:
            log.exception("run %s", self._recorder.snapshot.run_id)
            failure = Failure(
                kind=FailureKind.BUG,
                message=f"Fanout made a mistake ({type(error).__name__}) and ended this run. "
                "What was written is kept; please report it with the log.",
            )
        finally:
            snapshot = self._recorder.snapshot
            status = RunStatus.FAILED if failure else outcome(snapshot, stopped=context.stopped)
            at = self._recorder.now_s()
            self._recorder.emit(RunFinished(at=at, status=status, failure=failure))

    def stop(self, branch: BranchId | None) -> None:
        if not self._recorder.snapshot.status.finished:
            self._context.stop(branch)

    def reopen(self, branch: BranchId | None) -> bool:
        """Make a finished run ready to go on with that branch, or with all that have no answer.

        Returns whether there is anything to do; `main` then carries it out.
        """
        snapshot = self._recorder.snapshot
        if not snapshot.status.finished:
            return False
        missing = frozenset(b.id for b in snapshot.branches if not b.state.succeeded)
        redo = missing if branch is None else missing & {branch}
        aggregate_missing = snapshot.aggregate is None or not (
            snapshot.aggregate.branch.state.succeeded
        )
        if not redo and not (aggregate_missing and branch in (None, AGGREGATE)):
            return False
        self._context = self._fresh_context(redo)
        at = self._recorder.now_s()
        self._recorder.emit(RunResumed(at=at, branches=tuple(sorted(redo))))
        return True

    def _fresh_context(self, only: frozenset[BranchId] | None) -> RunContext:
        return RunContext(
            recorder=self._recorder, calls=self._calls, retries=self._retries, only=only
        )
