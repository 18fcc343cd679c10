"""Sectioning: independent subtasks of one topic at once, then one combined answer.

Source: "Building effective agents" (Anthropic, 2024), parallelization by sectioning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from fanout.snapshot import Branch
from fanout.types import AGGREGATE, BranchId, BranchPlan, BranchState, Message, ModelRef
from fanout.workflows.definition import Sectioning
from fanout.workflows.specs import AggregateSpec, BranchSpec
from fanout.workflows.templates import render

if TYPE_CHECKING:
    from fanout.kernel.context import RunContext

Number = TypeVar("Number", int, float)

Resolve = Callable[[str], ModelRef]
"""Turns a definition's model name, "" for the run's own choice, into a model at an endpoint."""

_WORDS = {
    BranchState.STOPPED: "stopped",
    BranchState.TIMED_OUT: "timed out",
    BranchState.SKIPPED: "skipped",
}


def plan(spec: Sectioning, topic: str, resolve: Resolve) -> tuple[BranchPlan, ...]:
    """One call per branch that is switched on, in column order."""
    return tuple(_branch_plan(spec, branch, topic, resolve) for branch in spec.active)


def heading(spec: AggregateSpec, branches: Sequence[Branch]) -> str:
    """What the answer is made of: "Synthesis of 2 of 3: Poem failed"."""
    missing = [branch for branch in branches if not branch.state.succeeded]
    text = f"{spec.title} of {len(branches) - len(missing)} of {len(branches)}"
    if not missing:
        return text
    reasons = ", ".join(f"{b.title} {_WORDS.get(b.state, 'failed')}" for b in missing)
    return f"{text}: {reasons}"


def aggregate_plan(
    spec: Sectioning, topic: str, branches: Sequence[Branch], resolve: Resolve
) -> BranchPlan | None:
    """The combining call over the branches that succeeded; None if there is nothing to combine."""
    used = usable(branches)
    if spec.aggregate is None or not used:
        return None
    return _combining(spec, spec.aggregate, topic, used, resolve)


def combining_call(spec: Sectioning, topic: str, resolve: Resolve) -> BranchPlan | None:
    """The combining call with nothing to combine yet, for estimates; None if none will be made."""
    if spec.aggregate is None or spec.aggregate.kind == "concatenation":
        return None
    return _combining(spec, spec.aggregate, topic, (), resolve)


def _combining(
    spec: Sectioning,
    combine: AggregateSpec,
    topic: str,
    used: Sequence[Branch],
    resolve: Resolve,
) -> BranchPlan:
    results = "\n\n".join(
        render(combine.result, {"title": branch.title, "text": branch.text.strip()})
        for branch in used
    )
    text = render(combine.prompt, {"topic": topic, "results": results})
    return BranchPlan(
        id=AGGREGATE,
        title=combine.title,
        model=resolve(combine.model),
        messages=(Message(role="user", content=text),),
        temperature=combine.temperature,
        max_tokens=combine.max_tokens,
        deadlines=spec.deadlines.value(),
    )


def usable(branches: Sequence[Branch]) -> tuple[Branch, ...]:
    """The branches whose results an answer may be built on."""
    return tuple(branch for branch in branches if branch.state.succeeded)


async def run(spec: Sectioning, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Fan out, then combine what there is. All failed: no aggregate is pretended."""
    branches = await context.fan_out(context.planned)
    combine = aggregate_plan(spec, topic, branches, resolve)
    if combine is None or spec.aggregate is None or context.stopped:
        return
    await context.combine(
        combine,
        kind=spec.aggregate.kind,
        heading=heading(spec.aggregate, branches),
        used=tuple(branch.id for branch in usable(branches)),
    )


def _branch_plan(spec: Sectioning, branch: BranchSpec, topic: str, resolve: Resolve) -> BranchPlan:
    values = {**branch.variables, "topic": topic, "title": branch.title}
    parts = [render(spec.shared, values), render(spec.prompt_of(branch), values)]
    user = "\n\n".join(part.strip() for part in parts if part.strip())
    messages = [Message(role="user", content=user)]
    if spec.system.strip():
        messages.insert(0, Message(role="system", content=render(spec.system, values).strip()))
    return BranchPlan(
        id=BranchId(branch.id),
        title=branch.title,
        model=resolve(branch.model),
        messages=tuple(messages),
        temperature=_either(branch.temperature, spec.defaults.temperature),
        max_tokens=_either(branch.max_tokens, spec.defaults.max_tokens),
        deadlines=spec.deadlines.value(),
    )


def _either(own: Number | None, default: Number | None) -> Number | None:
    return default if own is None else own
