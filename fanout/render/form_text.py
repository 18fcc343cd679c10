"""A structured answer as a person reads it, also half-written: JSON becomes Markdown.

What was written first stays first and grows at its end, so that a column which follows the stream
has little to draw again. An answer that keeps to no form is shown as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Literal, TypeAlias

from fanout.structured import schema as says
from fanout.structured.asking import label
from fanout.structured.partial import partial
from fanout.structured.schema import Schema
from fanout.types import Form

MOST_OBJECTS = 8
"""Objects looked for in one answer; what follows them is shown as it is."""

_Layout: TypeAlias = Literal["block", "line", "score"]

_OBJECT = re.compile(r'\{\s*(?:"|\Z)')
_FENCE_BEFORE = re.compile(r"(?:^|\n)[ \t]*(?:`{1,2}|```[ \t]*\w*)\s*\Z")
_FENCE_AFTER = re.compile(r"\A\s*(?:`{1,2}\Z|```[ \t]*(?:\n|\Z))")
_NAMED = re.compile(
    r"\s*(?:[-*>#]+\s+|[0-9]{1,2}[.)]\s+)?[*_`]*([^\W\d_][\w ]{0,60}?)[*_`]*\s*[:=][*_`]*\s*(.*)"
)
_IN_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?|,(?=\s*[}\]])', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
_DECODER = json.JSONDecoder(strict=False)
_GAP = "\n\n"
_LONGEST_NUMBER = 10**18


def form_text(form: Form, text: str) -> str:
    """The answer so far as Markdown. Pure; never raises, whatever the text."""
    parts: list[str] = []
    rest = text
    for _ in range(MOST_OBJECTS):
        opening = _OBJECT.search(rest)
        fields = _fields(rest[opening.start() :]) if opening else None
        if opening is None or fields is None:
            break
        parts.append(_prose(rest[: opening.start()], form.schema))
        written, rest = _parted(rest[opening.start() :])
        if not rest and written[-1:].isdigit():
            _hold_back_number(fields)
        parts += _paragraphs(*_unwrapped(fields, form.schema))
        rest = _FENCE_AFTER.sub("", rest)
    parts.append(_prose(rest, form.schema))
    return _GAP.join(part for part in parts if part)


def _fields(text: str) -> dict[str, object] | None:
    """The fields of the object that the text begins with; None where it is no JSON."""
    found = partial(text)
    if found is None:
        # Line breaks in a string and a comma too many are what models get wrong.
        found = partial(_IN_STRING.sub(_mended, text))
    return None if found is None else dict(found)


def _mended(match: re.Match[str]) -> str:
    if match[0] == ",":
        return ""
    return _CONTROL.sub(lambda sign: json.dumps(sign[0])[1:-1], match[0])


def _parted(text: str) -> tuple[str, str]:
    """The object, and what follows it; while it is open nothing does."""
    try:
        _, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return text, ""
    return text[:end], text[end:]


def _hold_back_number(fields: dict[str, object]) -> None:
    """Its next digit may still come: 1 may become 10."""
    last = next(reversed(fields), None)
    if last is not None and isinstance(fields[last], int | float):
        del fields[last]


def _unwrapped(fields: dict[str, object], schema: Schema) -> tuple[Mapping[str, object], Schema]:
    """The fields, or those of the one object that they do nothing but wrap."""
    if len(fields) == 1:
        ((name, inner),) = fields.items()
        if isinstance(inner, dict) and _plain(name) not in _known(schema):
            return {str(key): value for key, value in inner.items()}, schema
    return fields, schema


def _paragraphs(fields: Mapping[str, object], schema: Schema) -> Iterator[str]:
    known = _known(schema)
    first = next(iter(known), "")
    scored = sum(says.kind(each) in ("integer", "number") for each in known.values()) > 1
    shown = (
        _field(name, value, known.get(_plain(name), {}), lead=_plain(name) == first, scored=scored)
        for name, value in fields.items()
        if value not in (None, "", [], {})
    )
    for layout, group in groupby(shown, key=lambda field: field[0]):
        pieces = [piece for _, piece in group]
        match layout:
            case "line":
                yield " · ".join(pieces)
            case "score":
                yield "\n".join(pieces)
            case _:
                yield from pieces


def _field(
    name: str, value: object, schema: Schema, *, lead: bool, scored: bool
) -> tuple[_Layout, str]:
    title = _title(name, schema)
    if isinstance(value, str) and lead and says.is_free_text(schema):
        return "block", value.strip()
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return "block", _table(value, says.items(schema))
    if isinstance(value, list) and says.is_free_text(says.items(schema)):
        return "block", "\n".join(f"- {_inline(entry)}" for entry in value)
    if isinstance(value, dict):
        known = _known(schema)
        return "score", "\n".join(
            _score(key, inner, known.get(_plain(key), {})) for key, inner in value.items()
        )
    if scored and isinstance(value, int | float) and not isinstance(value, bool):
        return "score", _score(name, value, schema)
    return "line", f"**{title}** {_inline(value)}{_out_of(value, schema)}"


def _score(name: str, value: object, schema: Schema) -> str:
    return f"- {_title(name, schema)} **{_inline(value)}**{_out_of(value, schema)}"


def _out_of(value: object, schema: Schema) -> str:
    most = schema.get("maximum")
    return f" of {most}" if most is not None and isinstance(value, int | float) else ""


def _table(rows: list[object], schema: Schema) -> str:
    """Its columns are the schema's, so that a row which is being written fills up."""
    found = [row for row in rows if isinstance(row, dict)]
    known = {name: _title(name, each) for name, each in says.properties(schema).items()}
    known = known or {str(name): label(str(name)) for row in found for name in row}
    lines = [list(known.values()), ["---"] * len(known)]
    lines += [[_inline(row.get(key)) for key in known] for row in found]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _inline(value: object) -> str:
    """Any value in one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return " ".join(value.split())
        case int() if abs(value) >= _LONGEST_NUMBER:
            return "a number too long to show"
        case list():
            return ", ".join(_inline(entry) for entry in value)
        case dict():
            return ", ".join(f"{_inline(str(key))}: {_inline(each)}" for key, each in value.items())
        case _:
            return str(value)


def _prose(text: str, schema: Schema) -> str:
    """Words outside of JSON as they are; `Name: value` lines of the form as its fields."""
    text = _FENCE_BEFORE.sub("", text).strip()
    if ":" not in text and "=" not in text:
        return text
    known = dict(_every_known(schema))
    first = next(iter(_known(schema)), "")
    said = ""
    named = False
    for line in text.split("\n"):
        found = _NAMED.fullmatch(line)
        name = _plain(found[1]) if found else ""
        if found is None or name not in known:
            ends = named and bool(line.strip())
            said = f"{said.rstrip()}\n\n{line}" if ends else f"{said}\n{line}"
            named = named and not ends
            continue
        value = found[2].strip().rstrip("*_`")
        if name == first and says.is_free_text(known[name]):
            said, named = f"{said.rstrip()}\n\n{value}", False
            continue
        piece = f"**{_title(name, known[name])}** {value}"
        said, named = f"{said.rstrip()}{' · ' if named else _GAP}{piece}", True
    return said.strip()


def _known(schema: Schema) -> dict[str, Schema]:
    return {_plain(name): each for name, each in says.properties(schema).items()}


def _every_known(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, each in _known(schema).items():
        yield from _known(each).items()
        yield name, each


def _title(name: str, schema: Schema) -> str:
    title = schema.get("title")
    return title.strip() if isinstance(title, str) and title.strip() else label(name)


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()
