"""A comparison table: criteria by branches, and which is stronger, per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.structured.reading import read
from fanout.types import BranchState, Form
from fanout.workflows.combining.defaults import prompt_of
from fanout.workflows.combining.material import Material, begin, quoted_results
from fanout.workflows.specs import AggregateSpec

MOST_ROWS = 6
CELL = 90
"""Characters a cell may have."""
EQUAL = "equal"


async def table(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """Ask for the rows in a form, then draw them as a Markdown table."""
    form = table_form(material.used, spec.criteria)
    asked = material.filled(prompt_of(spec), quoted_results(spec, material), _criteria_words(spec))
    plan = material.call(spec, asked, form=form)
    begin(spec, material, context, plan)
    answered = await context.ask(plan)
    drawn = table_text(form, answered.text, material.used, spec.criteria)
    if drawn and answered.state in (BranchState.DONE, BranchState.STOPPED):
        context.rewrite(plan.id, drawn)


def _criteria_words(spec: AggregateSpec) -> str:
    """The criteria by the names that the form gives them, for the prompt."""
    named = (f"{one} ({_key(n)})" for n, one in enumerate(dict.fromkeys(spec.criteria), 1))
    return ", ".join(named) or "the criteria that matter most"


def table_form(branches: Sequence[Branch], criteria: Sequence[str]) -> Form:
    """Rows of cells named text_1, text_2 … in column order, each with the text that is stronger.

    Given criteria are properties of their own, so that each has exactly one row.
    """
    cells = {
        key: {"type": "string", "title": branch.title, "maxLength": CELL}
        for key, branch in zip(keys(branches), branches, strict=True)
    }
    row = {**cells, "stronger": {"type": "string", "enum": [*cells, EQUAL]}}
    if criteria:
        rows = {_key(n): _object(row) for n in range(1, len(set(criteria)) + 1)}
        return Form(name="comparison", schema=_object(rows))
    named = _object({"criterion": {"type": "string", "maxLength": 40}, **row})
    listed = {"type": "array", "items": named, "minItems": 2, "maxItems": MOST_ROWS}
    return Form(name="comparison", schema=_object({"rows": listed}))


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _key(number: int) -> str:
    return f"criterion_{number}"


def keys(branches: Sequence[Branch]) -> list[str]:
    return [f"text_{number}" for number in range(1, len(branches) + 1)]


def table_text(
    form: Form, text: str, branches: Sequence[Branch], criteria: Sequence[str] = ()
) -> str:
    """The answer as a Markdown table; empty where it can't be read as one."""
    titles = dict(zip(keys(branches), (branch.title for branch in branches), strict=True))
    rows = _rows(read(form, text).value or {}, tuple(dict.fromkeys(criteria)))
    if not rows:
        return ""
    lines = [_line(["Criterion", *titles.values(), "Stronger"])]
    lines.append(_line(["---"] * (len(titles) + 2)))
    for criterion, row in rows:
        stronger = str(row.get("stronger") or "–")
        cells = [str(row.get(key) or "–") for key in titles]
        lines.append(_line([criterion, *cells, titles.get(stronger, stronger)]))
    return "\n".join(lines)


def _rows(
    value: Mapping[str, object], criteria: tuple[str, ...]
) -> list[tuple[str, Mapping[str, object]]]:
    if criteria:
        found = [(one, value.get(_key(n))) for n, one in enumerate(criteria, 1)]
    else:
        listed = value.get("rows")
        each = listed if isinstance(listed, list | tuple) else ()
        found = [(str(row.get("criterion") or "–"), row) for row in each if _is_row(row)]
    return [(name, row) for name, row in found if isinstance(row, Mapping)]


def _is_row(row: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(row, Mapping)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
