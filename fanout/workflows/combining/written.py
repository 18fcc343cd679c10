"""Answers that are written in one go: synthesis, an answer with citations, plain joining."""

from __future__ import annotations

from anyio import to_thread

from fanout.kernel.context import RunContext
from fanout.retrieval.fusion import fuse
from fanout.retrieval.passages import Fused
from fanout.types import BranchPlan, Failure, FailureKind
from fanout.workflows.combining.citing import with_citations
from fanout.workflows.combining.defaults import prompt_of
from fanout.workflows.combining.material import Material, begin, heading, quoted_results, results
from fanout.workflows.definition import Research
from fanout.workflows.quoting import NOTICE, quoted
from fanout.workflows.specs import AggregateSpec

_NOTHING_FOUND = Failure(
    kind=FailureKind.EMPTY,
    message="None of the searches found a passage, so there is nothing to answer from. "
    "Ask in other words, or add documents.",
)


def synthesis_plan(spec: AggregateSpec, material: Material) -> BranchPlan:
    """The call over the branches in use."""
    return material.call(spec, material.filled(spec.prompt, quoted_results(spec, material)))


async def synthesis(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """One text from all, written by a model."""
    plan = synthesis_plan(spec, material)
    begin(spec, material, context, plan)
    await context.ask(plan)


def concatenation(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """The texts one after another, by a template; no model is asked."""
    text = material.filled(spec.prompt, results(spec, material)).strip()
    plan = material.call(spec, text)
    begin(spec, material, context, plan)
    context.settle(plan, text)


def cited_plan(spec: AggregateSpec, material: Material, passages: tuple[Fused, ...]) -> BranchPlan:
    """The call that answers from passages."""
    found = numbered(passages, material.marker)
    return material.call(spec, material.filled(prompt_of(spec), found))


async def cited(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """An answer from the fused passages, each claim with the passages that carry it."""
    passages = fused_passages(material)
    plan = cited_plan(spec, material, passages)
    begin(
        spec,
        material,
        context,
        plan,
        made_of=_from_passages(spec, material, passages),
        passages=passages,
    )
    if not passages:
        context.settle(plan, "", _NOTHING_FOUND)
        return
    answered = await context.ask(plan)
    if answered.state.succeeded:
        text = await to_thread.run_sync(with_citations, answered.text, passages, material.topic)
        if text != answered.text:
            context.rewrite(plan.id, text)


def fused(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """The fused list itself; no model is asked."""
    passages = fused_passages(material)
    text = "\n".join(
        f"{one.rank}. **{one.passage.title}** {' '.join(one.passage.text.split())}"
        for one in passages
    )
    plan = material.call(spec, text or "nothing")
    begin(
        spec,
        material,
        context,
        plan,
        made_of=_from_passages(spec, material, passages),
        passages=passages,
    )
    context.settle(plan, text, None if passages else _NOTHING_FOUND)


def fused_passages(material: Material) -> tuple[Fused, ...]:
    """The best passages over all strategies in use, by reciprocal rank fusion."""
    workflow = material.workflow
    k, cited = (workflow.rrf_k, workflow.cited) if isinstance(workflow, Research) else (60, 6)
    return fuse({branch.id: branch.hits for branch in material.used}, k)[:cited]


def numbered(passages: tuple[Fused, ...], marker: str) -> str:
    """The passages as the model sees them: numbered, quoted with their titles, named as material.

    A title comes from the document too.
    """
    parts = []
    for number, one in enumerate(passages, 1):
        text = f"{one.passage.title}:\n{one.passage.text}"
        parts.append(f"[{number}]\n{quoted(text, marker)}")
    return "\n\n".join(["Passages to read.", *parts, NOTICE])


def _from_passages(spec: AggregateSpec, material: Material, passages: tuple[Fused, ...]) -> str:
    documents = {one.passage.document for one in passages}
    count = f"{len(passages)} passage{'' if len(passages) == 1 else 's'}"
    files = f"{len(documents)} document{'' if len(documents) == 1 else 's'}"
    found = heading(spec, material).removeprefix(f"{spec.title} of ")
    return f"{spec.title} from {count} in {files}, strategies {found}"
