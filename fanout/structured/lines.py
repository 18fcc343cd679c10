"""`Name: value` lines in an answer, as `asking` requests them of models that know no JSON.

A line may be a list item, bold or quoted. The last line of a name wins. What a name says goes on
until the next name, so that a reason may have several paragraphs and a ranking a line per entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from fanout.structured import schema as says
from fanout.structured.schema import Schema

_Path: TypeAlias = tuple[str, ...]

_MOST_NAME = 80
_WORD = re.compile(r"[^\W_]+")
_LEADING = re.compile(r"(?:my|the|final|overall)\s+")
_AFTER = " \t\r\n*_`\"',"
_BEFORE = _AFTER + ">#"
_COLON = re.compile("[:\uff1a=]")


def in_lines(text: str, schema: Schema) -> dict[str, object]:
    """The raw texts found for the schema's properties; what an object holds is looked for too."""
    names = _names(schema)
    said: dict[_Path, list[str]] = {}
    prose: list[str] = []
    block = prose
    for line in text.splitlines():
        path, rest = _named(line, names)
        if path is not None:
            block = said[path] = [rest]
        else:
            block.append(line)
    found: dict[str, object] = {}
    for path, lines in said.items():
        _put(found, path, _text(lines, _at(schema, path)))
    if found:
        _let_prose_serve(found, "\n".join(prose).strip(), schema)
    return found


def _let_prose_serve(found: dict[str, object], prose: str, schema: Schema) -> None:
    """What was said before the first line is the reason, where the form begins with one."""
    first = next(iter(says.properties(schema)), None)
    if prose and first and first not in found and says.is_free_text(_at(schema, (first,))):
        found[first] = prose


def _names(schema: Schema) -> dict[str, _Path]:
    names: dict[str, _Path] = {}
    properties = says.properties(schema)
    for name, each in properties.items():
        for inner in says.properties(each):
            names.setdefault(_plain(inner), (name, inner))
    names |= {
        _plain(name): (name,) for name, each in properties.items() if not says.properties(each)
    }
    return names


def _named(line: str, names: Mapping[str, _Path]) -> tuple[_Path | None, str]:
    colon = _COLON.search(line, 0, _MOST_NAME)
    if colon is None:
        return None, line
    plain = _plain(line[: colon.start()])
    # A list number is no part of the name.
    without_number = plain.lstrip("0123456789 ")
    for name in (plain, without_number, _LEADING.sub("", without_number)):
        if name in names:
            return names[name], line[colon.end() :]
    return None, line


def _text(lines: list[str], schema: Schema) -> str:
    """The text of one name: all of it where it may be long, else its first line with words."""
    if says.kind(schema) == "array" or says.is_free_text(schema):
        return "\n".join(lines).lstrip(_BEFORE).rstrip(_AFTER)
    stripped = (line.lstrip(_BEFORE).rstrip(_AFTER) for line in lines)
    return next((line for line in stripped if line), "")


def _put(found: dict[str, object], path: _Path, text: str) -> None:
    if len(path) == 1:
        found[path[0]] = text
        return
    inner = found.setdefault(path[0], {})
    if isinstance(inner, dict):
        inner[path[1]] = text


def _at(schema: Schema, path: _Path) -> Schema:
    for name in path:
        schema = says.properties(schema)[name]
    return schema


def _plain(name: str) -> str:
    return " ".join(_WORD.findall(name.casefold()))
