"""Where a definition is wrong: from what a DefinitionError says to the path of the field.

A form shows the sentence beside that field. A sentence that names no field has the empty path and
is shown above them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Place = tuple[str | int, ...]


def place(message: str, data: Mapping[str, object]) -> Place:
    """The field of `data` that a DefinitionError's message is about."""
    branches = _rows(data, "branches")
    if found := re.match(r'branch "([^"]+)"(: prompt| has no prompt)', message):
        return _prompt(found[1], branches)
    if found := re.match(r'two branches have the (id|title) "(.*)"; each', message, re.DOTALL):
        return _twice("branches", found[1], found[2], branches)
    if found := re.match(r'no branch may have the id "([^"]+)"', message):
        return _row("branches", "id", found[1], branches)
    if found := re.match(r'two branches have the criterion id "([^"]+)"', message):
        return _twice("rubric", "id", found[1], _rows(data, "rubric"))
    if found := re.match(r'a criterion can\'t be called "([^"]+)"', message):
        return _row("rubric", "id", found[1], _rows(data, "rubric"))
    if found := re.match(r"(system|shared|prompt|variables|scale|kind)\b", message):
        return (found[1],)
    if found := re.match(r"(aggregate|vote)\.(\w+)", message):
        return (found[1], found[2])
    if found := re.match(r"policies\.(\w+)\.(\w+)", message):
        return ("policies", found[1], found[2])
    if "branches" in message or "every branch" in message:
        return ("branches",)
    return ("kind",) if "workflow kind" in message else ()


def _rows(data: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    rows = data.get(key)
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return []
    return [row for row in rows if isinstance(row, Mapping)]


def _prompt(branch_id: str, branches: list[Mapping[str, object]]) -> Place:
    """A branch without a prompt of its own points at the prompt that all share."""
    for i, branch in enumerate(branches):
        if branch.get("id") == branch_id:
            return ("prompt",) if branch.get("prompt") is None else ("branches", i, "prompt")
    return ("branches",)


def _twice(table: str, field: str, value: str, rows: list[Mapping[str, object]]) -> Place:
    """The last of them: the earlier one was there first."""
    return _row(table, field, value, rows[::-1], last=len(rows) - 1)


def _row(
    table: str, field: str, value: str, rows: list[Mapping[str, object]], last: int | None = None
) -> Place:
    for i, row in enumerate(rows):
        # A branch that is asked several times has copies with numbers: "judge-1", "Judge 1".
        own, copy = str(row.get(field, "")).strip(), re.escape(str(row.get(field, "")).strip())
        if own == value or re.fullmatch(rf"{copy}[- ]\d+", value):
            return (table, i if last is None else last - i, field)
    return (table,)
