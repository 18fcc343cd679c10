"""Why a value can't be used, in a sentence for the person who wonders where a vote has gone."""

from __future__ import annotations

from collections.abc import Sequence

from fanout.structured import schema as says
from fanout.structured.schema import Schema

_MOST_SHOWN = 60
_MOST_CHOICES = 6
_NOT_A = {
    "integer": "no whole number",
    "number": "no number",
    "boolean": "neither yes nor no",
    "string": "no text",
}


def missing(paths: Sequence[Sequence[str]], root: Schema) -> str:
    """What the answer lacks, all in one sentence."""
    names = [_what(path, root) for path in paths]
    return f"The answer holds no {' and no '.join(names[:3])}."


def unfit(path: Sequence[str], value: object, root: Schema) -> str:
    """What is wrong with the value of the property at that place."""
    what, schema = _what(path, root), _at(path, root)
    choices, kind = says.choices(schema), says.kind(schema)
    if choices:
        more = ", ..." if len(choices) > _MOST_CHOICES else ""
        named = ", ".join(str(choice) for choice in choices[:_MOST_CHOICES])
        return f"The {what} is {_shown(value)}, not one of {named}{more}."
    if kind in ("array", "object") and not _is_a(value, kind):
        return f"The answer holds no readable {what}."
    if not _is_a(value, kind):
        return f"The {what} is {_shown(value)}, {_NOT_A.get(kind, 'not what was asked for')}."
    if kind in ("integer", "number"):
        return f"The {what} is {_shown(value)}, {_outside(schema)}."
    if kind == "array" and isinstance(value, list):
        return f"The {what} has {_counted(value, schema)}."
    return f"The {what} is not written as it was asked for."


def _is_a(value: object, kind: str) -> bool:
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "string":
            return isinstance(value, str)
        case _:
            return True


def _what(path: Sequence[str], root: Schema) -> str:
    """The property's title, or its name: what `scores` holds is a "score for clarity"."""
    title = _at(path, root).get("title")
    if isinstance(title, str) and title.strip():
        return title.strip()
    words = [" ".join(name.replace("_", " ").split()) for name in path]
    return " for ".join(word.removesuffix("s") for word in words[:-1]) + (
        f" for {words[-1]}" if words[1:] else words[-1]
    )


def _at(path: Sequence[str], root: Schema) -> Schema:
    schema = root
    for name in path:
        schema = says.properties(schema).get(name, {})
    return schema


def _outside(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"outside {least} to {most}"
    if least is not None:
        return f"less than {least}"
    return f"more than {most}" if most is not None else "which is not on the scale"


def _counted(value: list[object], schema: Schema) -> str:
    if any(value.index(entry) != place for place, entry in enumerate(value[:_MOST_SHOWN])):
        return "an entry that comes twice"
    least, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(least, int) and len(value) < least:
        return f"{len(value)} of the {least} entries that were asked for"
    if isinstance(most, int) and len(value) > most:
        return f"{len(value)} entries, more than {most}"
    return "an entry that can't be used"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _short(str(value))
    if isinstance(value, str):
        return f'"{_short(" ".join(value[:1000].split()))}"'
    return "a list" if isinstance(value, list) else "a group of values"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1].rstrip() + "…"
