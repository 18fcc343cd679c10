"""From a workflow's kind to the code that runs it; the one place that a new kind must join."""

from __future__ import annotations

from typing import assert_never

from fanout.kernel.context import RunContext
from fanout.snapshot import Snapshot
from fanout.types import BranchPlan, RunStatus
from fanout.workflows import sectioning
from fanout.workflows.definition import Sectioning, Workflow
from fanout.workflows.sectioning import Resolve


def plan(workflow: Workflow, topic: str, resolve: Resolve) -> tuple[BranchPlan, ...]:
    """The branches that a run of this workflow starts with."""
    match workflow:
        case Sectioning():
            return sectioning.plan(workflow, topic, resolve)
        case _:
            assert_never(workflow)


def combining_call(workflow: Workflow, topic: str, resolve: Resolve) -> BranchPlan | None:
    """The call that combines, with nothing to combine yet; None if no such call will be made."""
    match workflow:
        case Sectioning():
            return sectioning.combining_call(workflow, topic, resolve)
        case _:
            assert_never(workflow)


async def run(workflow: Workflow, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Run it to its end. Returns when nothing of it is left running."""
    match workflow:
        case Sectioning():
            await sectioning.run(workflow, topic, resolve, context)
        case _:
            assert_never(workflow)


def outcome(snapshot: Snapshot, *, stopped: bool) -> RunStatus:
    """How a run ended, by what there is: a whole answer, a partial one, or none."""
    if stopped:
        return RunStatus.STOPPED
    done = [branch.state.succeeded for branch in snapshot.branches]
    if not any(done):
        return RunStatus.FAILED
    combined = snapshot.aggregate is None or snapshot.aggregate.branch.state.succeeded
    missing = snapshot.aggregate_kind is not None and snapshot.aggregate is None
    return RunStatus.SUCCEEDED if all(done) and combined and not missing else RunStatus.PARTIAL
