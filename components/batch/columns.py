"""Which column holds the topics, which fill variables of the prompts, and where those stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from components.batch import words
from components.batch.source import Source
from components.plain import cells, label, shortened
from fanout.batch.reading.table import TOPIC_NAMES, Table
from fanout.errors import DefinitionError
from fanout.workflows.definition import Workflow
from fanout.workflows.templates import variables

PREVIEWED = 8
_CELL = 160


def columns(source: Source, workflow: Workflow) -> str:
    """Draw the choice of the topic's column and the preview; the column's name."""
    table = source.table
    key = f"batch_topic_column-{source.about}"
    if len(table.columns) > 1:
        names = list(table.columns)
        chosen: str = st.selectbox(
            "Column with the topics",
            names,
            index=names.index(likely(table)),
            key=key,
            format_func=lambda name: shortened(name, 60),
            width=320,
        )
    else:
        chosen = table.columns[0]
    _preview(table, chosen)
    _landing(table, chosen, workflow)
    return chosen


def likely(table: Table) -> str:
    """The column that is usually asked about, or else the first."""
    usual = {name.casefold(): name for name in reversed(table.columns)}
    return next((usual[name] for name in TOPIC_NAMES if name in usual), table.columns[0])


def places(workflow: Workflow, name: str) -> list[str]:
    """The templates that a variable goes into, in words."""
    return [where for where, template in _templates(workflow) if _uses(template, name)]


def _preview(table: Table, topic_column: str) -> None:
    shown = table.rows[:PREVIEWED]
    # The topics first, whatever their place in the file.
    order = sorted(range(len(table.columns)), key=lambda i: table.columns[i] != topic_column)
    frame = pd.DataFrame(
        {table.columns[i]: [shortened(row.cells[i], _CELL) for row in shown] for i in order}
    )
    if any(row.line is not None for row in shown):
        frame.insert(0, "Line", [row.line for row in shown])
    st.dataframe(
        cells(frame),
        key="batch_preview",
        hide_index=True,
        alt=f"The first {len(shown)} rows as they were read",
    )
    more = len(table.rows) - len(shown)
    st.caption(
        f"{words.count(len(table.rows), 'row')} read"
        + (f", the first {len(shown)} of them shown" if more > 0 else "")
    )


def _landing(table: Table, topic_column: str, workflow: Workflow) -> None:
    """What becomes of each column, and of each variable that has none."""
    others = [name for name in table.columns if name != topic_column]
    used = [name for name in others if name in workflow.variables]
    lines = [
        f"**{label(name)}** fills `{{{name}}}` in {label(_listed(places(workflow, name)), 300)}"
        for name in used
    ]
    lines += [
        f"`{{{name}}}` has no column: every row says “{label(default, 80)}”"
        if default
        else f"`{{{name}}}` has no column and no default: it stays empty"
        for name, default in workflow.variables.items()
        if name not in table.columns
    ]
    if lines:
        st.markdown("\n".join(f"- {line}" for line in lines))
    if unused := [name for name in others if name not in used]:
        st.caption(_unused(unused, workflow))


def _unused(names: Sequence[str], workflow: Workflow) -> str:
    what = f"Not in any prompt: {label(_listed(names), 300)}. "
    if not workflow.variables:
        return (
            f"{what}This workflow has no variables; on the Workflows page it can be given some, "
            "with the names of columns. They are kept with the rows and exported all the same."
        )
    return f"{what}They are kept with the rows and exported all the same."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _templates(workflow: Workflow) -> Iterator[tuple[str, str]]:
    yield "the system message", workflow.system
    yield "the shared text", workflow.shared
    for branch in workflow.branches:
        if branch.enabled:
            yield f"{branch.title or branch.id}", workflow.prompt_of(branch)
    if workflow.aggregate is not None:
        for text in workflow.aggregate.model_dump().values():
            if isinstance(text, str):
                yield "the combined answer", text


def _uses(template: str, name: str) -> bool:
    try:
        return name in variables(template)
    except DefinitionError:
        return False
