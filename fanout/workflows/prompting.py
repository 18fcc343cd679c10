"""From a branch's definition to the exact call: templates filled in, content quoted as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from fanout.types import BranchId, BranchPlan, Form, Message, ModelRef
from fanout.workflows.definition import WorkflowBase
from fanout.workflows.quoting import in_one_turn, quoted
from fanout.workflows.specs import BranchSpec
from fanout.workflows.templates import render

Number = TypeVar("Number", int, float)

Resolve = Callable[[str], ModelRef]
"""Turns a definition's model name, "" for the run's own choice, into a model at an endpoint."""


def branch_plan(
    spec: WorkflowBase,
    branch: BranchSpec,
    topic: str,
    resolve: Resolve,
    *,
    marker: str = "",
    form: Form | None = None,
    values: Mapping[str, str] | None = None,
) -> BranchPlan:
    """The call of one branch; a branch without a prompt asks nobody and has no messages.

    `{topic}` is the person's own words, `{content}` the same as material between the marks of the
    run.
    """
    given = {
        "content": quoted(topic, marker),
        **spec.variables,
        **branch.variables,
        "topic": topic,
        "title": branch.title,
        **(values or {}),
    }
    # What all branches share is the same for all, whatever one of them calls its own.
    of_all = {**given, **spec.variables}
    prompt = spec.prompt_of(branch)
    messages: list[Message] = []
    if prompt.strip():
        parts = [render(spec.shared, of_all), render(prompt, given)]
        user = "\n\n".join(part.strip() for part in parts if part.strip())
        messages.append(Message(role="user", content=in_one_turn(user)))
        if spec.system.strip():
            system = render(spec.system, of_all).strip()
            messages.insert(0, Message(role="system", content=in_one_turn(system)))
    return BranchPlan(
        id=BranchId(branch.id),
        title=branch.title,
        model=resolve(branch.model),
        messages=tuple(messages),
        temperature=_either(branch.temperature, spec.defaults.temperature),
        max_tokens=_either(branch.max_tokens, spec.defaults.max_tokens),
        deadlines=spec.deadlines.value(),
        form=form if messages else None,
        fallback=tuple(resolve(name) for name in spec.fallback_of(branch.fallback)),
    )


def _either(own: Number | None, default: Number | None) -> Number | None:
    return default if own is None else own
