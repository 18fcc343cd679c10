"""Which column holds the topics, which fill variables of the prompts, and where those stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import streamlit as st

from components.batch import words
from components.batch.source import Source
from components.plain import cells, label, shortened
from fanout.batch.conditions import column_asked_for, column_of_more
from fanout.batch.preparing import Prepared, filling, topic_column_of
from fanout.batch.reading.table import Table
from fanout.errors import DefinitionError
from fanout.workflows.definition import Workflow
from fanout.workflows.templates import variables

PREVIEWED = 8
_CELL = 160
_DEFAULT = ""
"""Instead of a column: the variable's default text."""


def topic_column(source: Source, before: str = "") -> str | None:
    """Draw the choice, where there is one. None: the rows are for a batch whose topics stood in
    `before`, and nobody has said yet which column holds theirs."""
    names = list(source.table.columns)
    usual = column_of_more(names, before) if before else topic_column_of(names)
    if usual and len(names) == 1:
        return usual
    chosen: str | None = st.selectbox(
        "Column with the topics",
        names,
        index=names.index(usual) if usual else None,
        placeholder="Choose one",
        key=f"batch_topic_column-{source.about}",
        format_func=lambda name: shortened(name, 60),
        width=320,
    )
    if chosen is None:
        said = column_asked_for(names, before, "Choose the one that holds them.")
        st.error(label(said, 600), icon=":material/error:")
    return chosen


def variable_columns(source: Source, workflow: Workflow) -> dict[str, str]:
    """Draw a choice for each variable that no column has the name of; column to variable."""
    names = source.table.columns
    near = filling(names, workflow, {})
    asked = [name for name in workflow.variables if name not in names]
    if not asked:
        return {}
    chosen: dict[str, str] = {}
    with st.grid(min_column_width=260, gap="small"):
        for name in asked:
            options = [near[name]] if name in near else [_DEFAULT]
            options += [one for one in names if one not in options]
            column = st.selectbox(
                f"Column for {{{name}}}",
                options,
                key=f"batch_fill-{source.about}-{workflow.name}-{name}",
                format_func=lambda one: shortened(one, 60) if one else "none: its default",
            )
            if column:
                chosen[str(column)] = name
    return chosen


def preview(table: Table, prepared: Prepared) -> None:
    """The first rows as they were read, the topics first; and what becomes of each column."""
    shown = table.rows[:PREVIEWED]
    names = table.columns
    order = sorted(range(len(names)), key=lambda i: names[i] != prepared.topic_column)
    frame = pd.DataFrame(
        {names[i]: [shortened(row.cells[i], _CELL) for row in shown] for i in order}
    )
    if any(row.line is not None for row in shown):
        frame.insert(0, " Line", [row.line for row in shown])
    st.dataframe(
        cells(frame),
        key="batch_preview",
        hide_index=True,
        alt=f"The first {len(shown)} rows as they were read",
    )
    more = len(table.rows) > len(shown)
    shown_words = f", the first {len(shown)} of them shown" if more else ""
    st.caption(f"{words.count(len(table.rows), 'row')} read{shown_words}")


def landing(prepared: Prepared, workflow: Workflow) -> None:
    """What becomes of each column, and of each variable that has none."""
    lines = [_filled(column, name, prepared, workflow) for name, column in prepared.filled.items()]
    lines += [_default(name, workflow.variables) for name in prepared.unfilled]
    if lines:
        st.markdown("\n".join(f"- {line}" for line in lines))
    if prepared.unused:
        what = f"Not in any prompt: {label(_listed(prepared.unused), 300)}."
        how = (
            ""
            if workflow.variables
            else " This workflow has no variables; on the Workflows page it can be given some, "
            "which columns then fill."
        )
        st.caption(f"{what}{how} They are kept beside the results.")


def places(workflow: Workflow, name: str) -> list[str]:
    """The texts that a variable goes into, in words."""
    found = (where for where, template in _templates(workflow) if _uses(template, name))
    return list(dict.fromkeys(found))


def _filled(column: str, name: str, prepared: Prepared, workflow: Workflow) -> str:
    where = places(workflow, name)
    used = f"in {label(_listed(where), 300)}" if where else "which no prompt uses"
    blank = prepared.blank.get(name, 0)
    missing = f"; {words.count(blank, 'row')} without it have its default" if blank else ""
    return f"**{label(column)}** fills `{{{name}}}` {used}{missing}"


def _default(name: str, defaults: Mapping[str, str]) -> str:
    said = f"“{label(defaults[name], 80)}”" if defaults[name] else "empty"
    return f"`{{{name}}}` has no column: it is {said} in every row"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _templates(workflow: Workflow) -> Iterator[tuple[str, str]]:
    yield "the system message", workflow.system
    yield "the shared text", workflow.shared
    for branch in workflow.branches:
        if branch.enabled:
            yield branch.title or branch.id, workflow.prompt_of(branch)
    if workflow.aggregate is not None:
        for text in workflow.aggregate.model_dump().values():
            if isinstance(text, str):
                yield "the combined answer", text


def _uses(template: str, name: str) -> bool:
    try:
        return name in variables(template)
    except DefinitionError:
        return False
