"""A value as the model wrote it, turned into what its schema means where that is beyond doubt.

What is in doubt comes back as it was, and validation says why it does not fit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import cast

from fanout.structured import schema as says
from fanout.structured.schema import Schema

LEFT_OUT = None
"""null, a blank text and an unfilled placeholder all mean that nothing was said."""

_MOST_DIGITS = 40
_MOST_ENTRIES = 1_000
"""No form asks for more, and checking that all differ takes its time."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_OUT_OF = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:/|out of)\s*([0-9]+(?:\.[0-9]+)?)")
_PLACEHOLDER = re.compile(r"<[^<>]*>")
_AROUND = " \t\r\n.,;:!?\"'`*_()[]{}<>“”‘’"
_JOINT = re.compile(r"(?<=\w)[\s_-]+(?=\w)")
_AFTER_CHOICE = re.compile(r"[.;(\n]|\s[-–—]\s")
_LIST_ITEM = re.compile(r"[\s*•-]*(?:[0-9]{1,3}[.)]\s+)?")
_SPLIT = re.compile(r"[,>\n]")
_WORD = re.compile(r"[^\W_]+")
_YES_NO = {"true": True, "yes": True, "false": False, "no": False}


def coerced(value: object, schema: Schema) -> object:
    """The value in the schema's type, or LEFT_OUT, or the value unchanged."""
    if value is None:
        return LEFT_OUT
    if says.choices(schema):
        return _choice(value, schema)
    match says.kind(schema):
        case "integer" | "number":
            return _number(value, schema)
        case "boolean":
            return _YES_NO.get(plain(value), value) if isinstance(value, str) else value
        case "array":
            return _list(value, schema)
        case "object" if isinstance(value, Mapping):
            return coerced_object(cast("Mapping[str, object]", value), schema)
        case "string":
            return _text(value)
        case _:
            return value


def coerced_object(found: Mapping[str, object], schema: Schema) -> dict[str, object]:
    """The schema's properties that are there, in its order, whatever the case of their names."""
    by_plain_name = {plain(name): value for name, value in found.items()}
    values: dict[str, object] = {}
    for name, each in says.properties(schema).items():
        raw = found[name] if name in found else by_plain_name.get(plain(name))
        value = coerced(raw, each)
        if value is not LEFT_OUT:
            values[name] = value
    return values


def plain(text: str) -> str:
    """The text without what does not tell two choices apart: case, quotes, closing signs."""
    return _JOINT.sub(" ", text.strip(_AROUND)).casefold()


def _choice(value: object, schema: Schema) -> object:
    choices = says.choices(schema)
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    if not isinstance(value, str | int | float):
        return value
    said = str(value)
    if not said.strip():
        return LEFT_OUT
    found = _meant(said, choices)
    if found is None:
        # "flag. It is rude." settles on one choice; "allow or block" does not.
        first, *rest = _AFTER_CHOICE.split(said.strip(_AROUND), maxsplit=1)
        found = _meant(first, choices) if rest else None
        if found is not None and _names_another(rest[0], found, choices):
            found = None
    if found is None:
        return LEFT_OUT if _PLACEHOLDER.fullmatch(said.strip()) else value
    return found


def _meant(said: str, choices: tuple[object, ...]) -> object | None:
    wanted = plain(said)
    meant = [choice for choice in choices if plain(str(choice)) == wanted]
    return meant[0] if wanted and len(meant) == 1 else None


def _names_another(text: str, chosen: object, choices: tuple[object, ...]) -> bool:
    words = f" {' '.join(_WORD.findall(text.casefold()))} "
    others = (plain(str(choice)) for choice in choices if choice != chosen)
    return any(f" {other} " in words for other in others)


def _number(value: object, schema: Schema) -> object:
    if isinstance(value, str):
        if not value.strip():
            return LEFT_OUT
        number = _written_number(value, schema.get("maximum"))
        if number is None:
            return value
        value = number
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        if says.kind(schema) == "integer" and value.is_integer():
            return int(value)
    return value


def _written_number(text: str, maximum: object) -> int | float | None:
    text = text[: _MOST_DIGITS + 1].strip(" \t\r\n.*_`\"'")
    if len(text) > _MOST_DIGITS:
        return None
    if _NUMBER.fullmatch(text):
        return _parsed(text)
    scale = _OUT_OF.fullmatch(text)
    if scale and _parsed(scale[2]) == maximum:
        return _parsed(scale[1])
    if text.endswith("%") and maximum == 100 and _NUMBER.fullmatch(text[:-1].rstrip()):
        return _parsed(text[:-1].rstrip())
    return None


def _parsed(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _list(value: object, schema: Schema) -> object:
    each = says.items(schema)
    if isinstance(value, str):
        parts = (_LIST_ITEM.sub("", part, count=1) for part in _SPLIT.split(value.strip(_AROUND)))
        value = [part.strip(_AROUND) for part in parts if part.strip(_AROUND)]
        if not value:
            return LEFT_OUT
    if not isinstance(value, list):
        return value
    if len(value) > _MOST_ENTRIES:
        return LEFT_OUT
    entries = (_row(entry, each) for entry in value)
    return [entry for entry in entries if entry is not LEFT_OUT]


def _row(entry: object, schema: Schema) -> object:
    """A list's entry; in a row of a table an empty cell is a cell."""
    value = coerced(entry, schema)
    if isinstance(entry, Mapping) and isinstance(value, dict) and value:
        texts = {n for n, each in says.properties(schema).items() if says.is_free_text(each)}
        blank = {plain(name) for name, said in entry.items() if not str(said or "").strip()}
        value |= {name: "" for name in texts - value.keys() if plain(name) in blank}
    return value


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    return LEFT_OUT if not text or _PLACEHOLDER.fullmatch(text) else text
