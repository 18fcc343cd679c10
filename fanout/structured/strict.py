"""A schema as strict structured output demands it: nothing extra, and everything required.

What was optional becomes required and may be null instead, which reads as left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fanout.structured.schema import Schema

_MAPS = ("$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf")


def strict(schema: Schema) -> dict[str, object]:
    """A copy with `additionalProperties` false and all properties required, at every depth."""
    copy = dict(schema)
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        required = schema.get("required")
        named = set(required) if isinstance(required, list | tuple) else set()
        copy["properties"] = {
            name: strict(each) if name in named else _nullable(strict(each))
            for name, each in properties.items()
        }
        copy["required"] = list(properties)
        copy["additionalProperties"] = False
    if isinstance(schema.get("items"), Mapping):
        copy["items"] = strict(cast("Schema", schema["items"]))
    for name in _MAPS:
        inner = schema.get(name)
        if isinstance(inner, Mapping):
            copy[name] = {key: strict(each) for key, each in inner.items()}
    for name in _LISTS:
        options = schema.get(name)
        if isinstance(options, list | tuple):
            copy[name] = [strict(each) for each in options]
    # Tuples are JSON arrays too, but not every client's encoder knows.
    return {key: list(each) if isinstance(each, tuple) else each for key, each in copy.items()}


def _nullable(schema: dict[str, object]) -> dict[str, object]:
    kind = schema.get("type")
    if kind is None:
        return (
            schema if "null" in str(schema.get("anyOf")) else {"anyOf": [schema, {"type": "null"}]}
        )
    kinds = list(kind) if isinstance(kind, list | tuple) else [kind]
    if "null" not in kinds:
        schema = {**schema, "type": [*kinds, "null"]}
    choices = schema.get("enum")
    if isinstance(choices, list) and None not in choices:
        schema = {**schema, "enum": [*choices, None]}
    return schema
