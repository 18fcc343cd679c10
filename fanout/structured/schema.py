"""What a JSON schema says, in the few words that asking and reading need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

Schema: TypeAlias = Mapping[str, object]


def properties(schema: Schema) -> dict[str, Schema]:
    """The properties by name, in the schema's order; empty for what is no object."""
    found = schema.get("properties")
    if not isinstance(found, Mapping):
        return {}
    return {
        str(name): _without_null(each) for name, each in found.items() if isinstance(each, Mapping)
    }


def required(schema: Schema) -> tuple[str, ...]:
    names = schema.get("required")
    return tuple(str(name) for name in names) if isinstance(names, list | tuple) else ()


def items(schema: Schema) -> Schema:
    """The schema of a list's entries."""
    found = schema.get("items")
    return cast("Schema", found) if isinstance(found, Mapping) else {}


def choices(schema: Schema) -> tuple[object, ...]:
    """The values that an enum allows, null aside; empty where anything goes."""
    found = schema.get("enum")
    values = found if isinstance(found, list | tuple) else ()
    return tuple(value for value in values if value is not None)


def kind(schema: Schema) -> str:
    """The type, null aside: what an optional value is when it is there; empty for anything."""
    said = schema.get("type")
    kinds = said if isinstance(said, list | tuple) else (said,)
    default = "object" if properties(schema) else ""
    return next((str(each) for each in kinds if each not in (None, "null")), default)


def _without_null(schema: Schema) -> Schema:
    """What `anyOf` this or null means when it is there."""
    found = schema.get("anyOf")
    options = found if isinstance(found, list | tuple) else ()
    others = [each for each in options if isinstance(each, Mapping) and each.get("type") != "null"]
    return {**schema, **others[0]} if len(others) == 1 else schema


def is_free_text(schema: Schema) -> bool:
    return kind(schema) == "string" and not choices(schema)
