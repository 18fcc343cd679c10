"""A comparison table: criteria by branches, with a verdict per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fanout.events import AggregatePlanned
from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.structured.reading import read
from fanout.types import BranchState, Form
from fanout.workflows.combining.defaults import PROMPTS
from fanout.workflows.combining.material import Material, heading, results
from fanout.workflows.specs import AggregateSpec
from fanout.workflows.templates import render

MOST_ROWS = 6
CELL = 90
"""Characters a cell may have."""


async def table(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """Ask for the rows in a form, then draw them as a Markdown table."""
    form = table_form(material.used, spec.criteria)
    prompt = spec.prompt if spec.prompt.strip() != "{results}" else PROMPTS["table"]
    values = {
        "topic": material.topic,
        "results": results(spec, material.used),
        "points": "\n".join(f"- {one}" for one in spec.criteria),
    }
    plan = material.call(spec, render(prompt, values), form=form)
    context.begin_aggregate(
        AggregatePlanned(
            at=context.now_s(),
            kind=spec.kind,
            heading=heading(spec, material),
            used=material.used_ids,
            plan=plan,
        )
    )
    answered = await context.ask(plan)
    drawn = table_text(form, answered.text, material.used)
    if drawn and answered.state in (BranchState.DONE, BranchState.STOPPED):
        context.rewrite(plan.id, drawn)


def table_form(branches: Sequence[Branch], criteria: Sequence[str]) -> Form:
    """Rows of cells named a, b, c … in column order; a row per criterion where they are given."""
    cells = {key: {"type": "string", "maxLength": CELL} for key in keys(branches)}
    criterion: dict[str, object] = {"type": "string", "maxLength": 40}
    if criteria:
        criterion = {"type": "string", "enum": list(dict.fromkeys(criteria))}
    row = {
        "type": "object",
        "properties": {
            "criterion": criterion,
            **cells,
            "verdict": {"type": "string", "maxLength": CELL},
        },
        "required": ["criterion", *cells, "verdict"],
    }
    wanted = len(set(criteria))
    rows = {
        "type": "array",
        "items": row,
        "minItems": wanted or 2,
        "maxItems": wanted or MOST_ROWS,
    }
    return Form(
        name="comparison",
        schema={"type": "object", "properties": {"rows": rows}, "required": ["rows"]},
    )


def keys(branches: Sequence[Branch]) -> list[str]:
    return [f"text_{number}" for number in range(1, len(branches) + 1)]


def table_text(form: Form, text: str, branches: Sequence[Branch]) -> str:
    """The answer as a Markdown table; empty where it can't be read as one."""
    value = read(form, text).value
    rows = value["rows"] if value else ()
    if not isinstance(rows, list | tuple) or not rows:
        return ""
    head = ["Criterion", *(branch.title for branch in branches), "Verdict"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        if isinstance(row, Mapping):
            named = ["criterion", *keys(branches), "verdict"]
            lines.append(_line([str(row.get(key) or "–") for key in named]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
