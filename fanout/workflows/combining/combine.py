"""From a definition to the code that combines so; the one place that a new kind must join."""

from __future__ import annotations

from typing import assert_never

import anyio

from fanout.kernel.context import RunContext
from fanout.workflows.combining import best, counted, guided, table, written
from fanout.workflows.combining.material import Material
from fanout.workflows.definition import Workflow
from fanout.workflows.prompting import Resolve
from fanout.workflows.specs import AggregateSpec


async def combine_all(
    workflow: Workflow, topic: str, resolve: Resolve, context: RunContext
) -> None:
    """The workflow's own combined answer, and meanwhile how alike the branches are.

    There is none where nothing can be combined, or after a Stop.
    """
    async with anyio.create_task_group() as group:
        group.start_soon(context.measure_meaning)
        await _combine_own(workflow, topic, resolve, context)


async def _combine_own(
    workflow: Workflow, topic: str, resolve: Resolve, context: RunContext
) -> None:
    if workflow.aggregate is None or context.stopped:
        return
    material = Material(workflow=workflow, topic=topic, snapshot=context.snapshot, resolve=resolve)
    await combine(workflow.aggregate, material, context)


async def combine(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """Write one combined answer of any kind; no branch to build on: none is pretended."""
    if not material.used:
        return
    match spec.kind:
        case "synthesis":
            await written.synthesis(spec, material, context)
        case "cited":
            await written.cited(spec, material, context)
        case "concatenation":
            written.concatenation(spec, material, context)
        case "fused":
            written.fused(spec, material, context)
        case "guided":
            await guided.guided(spec, material, context)
        case "table":
            await table.table(spec, material, context)
        case "best":
            await best.best(spec, material, context)
        case "vote" | "scores" | "ranking":
            counted.counted(spec, material, context)
        case _:
            assert_never(spec.kind)
