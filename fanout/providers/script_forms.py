"""Improvised answers in a form: any value that the schema allows, the same for the same request.

The first choice of an enum comes up most, so that votes of a demo mostly agree, and not always.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

Schema: TypeAlias = Mapping[str, object]

_OF_THE_FIRST = 0.6
_LONGEST = 400
_DEEPEST = 8


def improvised_form(asked: Mapping[str, object], prose: str, seed: str) -> str | None:
    """An answer in the form of a `response_format`; None where that is no JSON."""
    match asked.get("type"):
        case "json_schema":
            named = asked.get("json_schema")
            schema = named.get("schema") if isinstance(named, Mapping) else None
            value = _Improvised(prose, seed).value(_schema(schema), "", 0)
            return json.dumps(value, ensure_ascii=False)
        case "json_object":
            return json.dumps({"answer": prose}, ensure_ascii=False)
        case _:
            return None


class _Improvised:
    """One answer while it is made up."""

    def __init__(self, prose: str, seed: str) -> None:
        self._prose = prose
        self._seed = seed

    def value(self, schema: Schema, path: str, depth: int) -> object:
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return self._chosen(choices, path)
        options = schema.get("anyOf")
        if isinstance(options, list) and options:
            return self.value(_schema(options[0]), path, depth)
        by_kind: dict[str, Callable[[], object]] = {
            "object": lambda: self._object(schema, path, depth),
            "array": lambda: self._list(schema, path, depth),
            "integer": lambda: self._whole_number(schema, path),
            "number": lambda: self._number(schema, path),
            "boolean": lambda: self._part(path) < _OF_THE_FIRST,
            "null": lambda: None,
        }
        return by_kind.get(_kind(schema), lambda: self._text(schema))()

    def _object(self, schema: Schema, path: str, depth: int) -> dict[str, object]:
        properties = _schema(schema.get("properties")) if depth < _DEEPEST else {}
        return {
            name: self.value(_schema(each), f"{path}.{name}", depth + 1)
            for name, each in properties.items()
        }

    def _list(self, schema: Schema, path: str, depth: int) -> list[object]:
        each = _schema(schema.get("items"))
        choices = each.get("enum")
        least, most = _count(schema.get("minItems"), 2), _count(schema.get("maxItems"), 12)
        if isinstance(choices, list):
            ranked = sorted(choices, key=lambda choice: self._part(f"{path}/{choice}"))
            return ranked[: max(least, most)]
        if depth >= _DEEPEST:
            return []
        return [self.value(each, f"{path}/{n}", depth + 1) for n in range(min(least, 50))]

    def _chosen(self, choices: list[object], path: str) -> object:
        part, others = self._part(path), [choice for choice in choices[1:] if choice is not None]
        if part < _OF_THE_FIRST or not others:
            return choices[0]
        return others[int((part - _OF_THE_FIRST) / (1 - _OF_THE_FIRST) * len(others))]

    def _whole_number(self, schema: Schema, path: str) -> int:
        least, most = _bound(schema, "minimum", 0), _bound(schema, "maximum", 10)
        return int(least + (most - least + 1) * math.sqrt(self._part(path)))

    def _number(self, schema: Schema, path: str) -> float:
        least, most = _bound(schema, "minimum", 0), _bound(schema, "maximum", 1)
        return round(least + (most - least) * math.sqrt(self._part(path)), 2)

    def _text(self, schema: Schema) -> str:
        most = _count(schema.get("maxLength"), _LONGEST)
        return self._prose if len(self._prose) <= most else self._prose[:most].rstrip()

    def _part(self, path: str) -> float:
        """A number from 0 up to, but not including, 1."""
        mixed = zlib.crc32(f"{self._seed}\n{path}".encode("utf-8", "replace"))
        # A checksum's neighbours are related; multiplying by a large odd number mixes them.
        return (mixed * 2_654_435_761 & 0xFFFF_FFFF) / 0x1_0000_0000


def _kind(schema: Schema) -> str:
    said = schema.get("type", "object" if "properties" in schema else "string")
    kinds = said if isinstance(said, list) else [said]
    return next((str(each) for each in kinds if each != "null"), "null")


def _schema(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, Mapping) else {}


def _count(value: object, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default


def _bound(schema: Schema, name: str, default: float) -> float:
    bound = schema.get(name)
    return bound if isinstance(bound, int | float) else default
