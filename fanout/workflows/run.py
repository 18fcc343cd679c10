"""From a workflow's kind to the code that runs it; the one place that a new kind must join."""

from __future__ import annotations

from typing import assert_never

from fanout.kernel.context import RunContext
from fanout.snapshot import Snapshot
from fanout.types import AGGREGATE, BranchPlan, BranchState, Message, RunStatus
from fanout.voting.plans import VotePlan
from fanout.workflows import judges, moderation, reasoning, research, sectioning
from fanout.workflows.definition import (
    Judges,
    Models,
    Moderation,
    Reasoning,
    Research,
    Sectioning,
    Workflow,
)
from fanout.workflows.prompting import Resolve
from fanout.workflows.specs import WRITTEN_BY_A_MODEL
from fanout.workflows.templates import render


def plan(
    workflow: Workflow, topic: str, resolve: Resolve, marker: str = ""
) -> tuple[BranchPlan, ...]:
    """The branches that a run starts with. InputError if the topic can't be used.

    `marker` is the run's, `marker_of(run_id)`; a preview has none.
    """
    match workflow:
        case Sectioning() | Models():
            return sectioning.plan(workflow, topic, resolve, marker)
        case Moderation():
            return moderation.plan(workflow, topic, resolve, marker)
        case Judges():
            return judges.plan(workflow, topic, resolve, marker)
        case Reasoning():
            return reasoning.plan(workflow, topic, resolve, marker)
        case Research():
            return research.plan(workflow, topic, resolve, marker)
        case _:
            assert_never(workflow)


def vote(workflow: Workflow, topic: str) -> VotePlan | None:
    """How the branches' votes will be counted; None where they don't vote."""
    match workflow:
        case Moderation():
            return moderation.vote(workflow)
        case Judges():
            return judges.vote(workflow, topic)
        case Reasoning():
            return reasoning.vote(workflow)
        case Sectioning() | Models() | Research():
            return None
        case _:
            assert_never(workflow)


def combining_call(workflow: Workflow, topic: str, resolve: Resolve) -> BranchPlan | None:
    """The call that combines, with nothing to combine yet; None if no such call will be made."""
    spec = workflow.aggregate
    if spec is None or spec.kind not in WRITTEN_BY_A_MODEL:
        return None
    text = render(spec.prompt, {**workflow.variables, "topic": topic, "results": "", "points": ""})
    return BranchPlan(
        id=AGGREGATE,
        title=spec.title,
        model=resolve(spec.model),
        fallback=tuple(resolve(name) for name in workflow.fallback_of(spec.fallback)),
        messages=(Message(role="user", content=text),),
        temperature=spec.temperature,
        max_tokens=spec.max_tokens,
        deadlines=workflow.deadlines.value(),
    )


def combining_calls(workflow: Workflow) -> int:
    """How many calls make the combined answer; several where it is judged or guided."""
    spec = workflow.aggregate
    if spec is None or spec.kind not in WRITTEN_BY_A_MODEL:
        return 0
    if spec.kind == "best":
        return spec.judges
    return 2 if spec.kind == "guided" and not spec.points else 1


async def run(workflow: Workflow, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Run it to its end. Returns when nothing of it is left running."""
    match workflow:
        case Sectioning() | Models():
            await sectioning.run(workflow, topic, resolve, context)
        case Moderation():
            await moderation.run(workflow, topic, resolve, context)
        case Judges():
            await judges.run(workflow, topic, resolve, context)
        case Reasoning():
            await reasoning.run(workflow, topic, resolve, context)
        case Research():
            await research.run(workflow, topic, resolve, context)
        case _:
            assert_never(workflow)


def outcome(snapshot: Snapshot, *, stopped: bool) -> RunStatus:
    """How a run ended, by what there is: a whole answer, a partial one, or none."""
    if stopped and _cut_short(snapshot):
        return RunStatus.STOPPED
    if not any(branch.state.succeeded for branch in snapshot.branches):
        return RunStatus.FAILED
    whole = all(branch.state.succeeded or branch.not_needed for branch in snapshot.branches)
    abstained = any(b.ballot is not None and not b.ballot.valid for b in snapshot.branches)
    combined = snapshot.aggregate is None or snapshot.aggregate.branch.state.succeeded
    missing = snapshot.aggregate_kind is not None and snapshot.aggregate is None
    missing = missing or bool(snapshot.late)
    fine = whole and combined and not missing and not abstained
    return RunStatus.SUCCEEDED if fine else RunStatus.PARTIAL


def _cut_short(snapshot: Snapshot) -> bool:
    """Whether a Stop took something from the run itself; answers beside its own don't count."""
    own = snapshot.aggregate
    if own is None:
        missing = snapshot.aggregate_kind is not None
    else:
        missing = own.branch.state in (BranchState.STOPPED, BranchState.READY)
    return missing or any(branch.state is BranchState.STOPPED for branch in snapshot.branches)
