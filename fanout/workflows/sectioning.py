"""Sectioning: independent subtasks of one topic at once, then one combined answer.

Source: "Building effective agents" (Anthropic, 2024), parallelization by sectioning. The `models`
kind runs the same way: its subtasks differ by who is asked.
"""

from __future__ import annotations

from fanout.kernel.context import RunContext
from fanout.types import BranchPlan
from fanout.workflows.combining.combine import combine_all
from fanout.workflows.definition import Models, Sectioning
from fanout.workflows.prompting import Resolve, branch_plan


def plan(
    spec: Sectioning | Models, topic: str, resolve: Resolve, marker: str = ""
) -> tuple[BranchPlan, ...]:
    """One call per branch that is switched on, in column order."""
    return tuple(branch_plan(spec, branch, topic, resolve, marker=marker) for branch in spec.active)


async def run(spec: Sectioning | Models, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Fan out, then combine what there is. All failed: no aggregate is pretended."""
    await context.fan_out(
        context.planned, combine=lambda: combine_all(spec, topic, resolve, context)
    )
