"""A workflow written out as the TOML that reads back as the very same workflow.

Fields that hold their default are left out, so that a file says only what its author decided, and
prompts of several lines are written over several lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AoT, Array, Item, String, StringType, Table, Trivia

from fanout.workflows.definition import Workflow

_ALWAYS = {"aggregate": ("kind", "title"), "vote": ("rule",), "scale": ("low", "high")}
"""Said even where they hold the default: without them a reader would have to know it."""
_LINE = 80


def written(workflow: Workflow) -> str:
    """The TOML file of a workflow. Its name is not in it: that is the file's."""
    full = workflow.model_dump(mode="json", exclude={"name"})
    data = workflow.model_dump(mode="json", exclude={"name", "kind"}, exclude_defaults=True)
    for table, fields in _ALWAYS.items():
        if isinstance(data.get(table), dict):
            data[table] = {**{field: full[table][field] for field in fields}, **data[table]}
    return tomlkit.dumps(_fill(tomlkit.document(), {"kind": workflow.kind, **data}))


Holder = tomlkit.TOMLDocument | Table


def _fill(holder: Holder, data: Mapping[str, object]) -> Holder:
    """Plain values first: in TOML they would belong to the table that stands above them."""
    for key, value in sorted(data.items(), key=lambda pair: _is_table(pair[1])):
        holder.add(key, _item(value))
    return holder


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or _is_tables(value)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _item(value: object) -> Item | Container:
    if isinstance(value, Mapping):
        table = tomlkit.table()
        _fill(table, value)
        return table
    if isinstance(value, list) and _is_tables(value):
        return _tables(value)
    if isinstance(value, list):
        return _array(value)
    if isinstance(value, str):
        return _string(value)
    # TOML has no word for nothing: a deadline that is switched off is false, see `parsing`.
    return tomlkit.item(False if value is None else value)


def _tables(rows: Sequence[Mapping[str, object]]) -> AoT:
    tables = tomlkit.aot()
    for row in rows:
        table = tomlkit.table()
        _fill(table, row)
        tables.append(table)
    return tables


def _array(values: Sequence[object]) -> Array:
    array = tomlkit.array()
    for value in values:
        array.append(_item(value))
    return array.multiline(len(array.as_string()) > _LINE)


def _string(text: str) -> String:
    if "\n" in text and "\r" not in text:
        return _lines(text)
    if _literal(text, "'") and '"' in text:
        return tomlkit.string(text, literal=True)
    return tomlkit.string(text)


def _lines(text: str) -> String:
    """Over several lines, the first of them below the quotes, as people write it."""
    literal = _literal(text.replace("\n", ""), "'''") and ('"""' in text or "\\" in text)
    plain = tomlkit.string(text, multiline=True, literal=literal)
    if text.startswith("\n"):
        return plain
    kind = StringType.MLL if literal else StringType.MLB
    return String(kind, text, "\n" + plain.as_string()[3:-3], Trivia())


def _literal(text: str, quotes: str) -> bool:
    """True where it can be written without any escape between those quotes."""
    return text.isprintable() and quotes not in text and not text.endswith("'")
