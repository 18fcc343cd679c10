"""What the first rows of a batch will ask, to the letter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from fanout.batch.preparing import FIRST as FIRST
from fanout.batches import Row
from fanout.errors import FanoutError
from fanout.types import BranchPlan
from fanout.workflows.definition import Workflow
from fanout.workflows.prompting import Resolve
from fanout.workflows.run import combining_call, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPreview:
    row: Row
    branches: tuple[BranchPlan, ...] = ()
    """Each with its messages as they would be sent, but for the marks of a run."""
    combine: BranchPlan | None = None
    """The combining call with nothing to combine yet; None where no model is asked for it."""
    problem: str = ""
    """Why this row can't be run; "" where it can."""


def previews(
    rows: Iterable[Row], workflow: Workflow, resolve: Resolve, first: int = FIRST
) -> tuple[RowPreview, ...]:
    """The calls of the first rows that are not left out."""
    wanted = (row for row in rows if not row.skipped)
    return tuple(_preview(row, workflow, resolve) for row in islice(wanted, first))


def _preview(row: Row, workflow: Workflow, resolve: Resolve) -> RowPreview:
    filled = workflow.with_variables(row.values)
    try:
        return RowPreview(
            row=row,
            branches=plan(filled, row.topic, resolve),
            combine=combining_call(filled, row.topic, resolve),
        )
    except FanoutError as error:
        return RowPreview(row=row, problem=str(error))
