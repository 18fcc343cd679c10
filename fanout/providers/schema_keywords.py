"""Leaving out of a schema what one server does not permit in it, such as OpenAI's `maxLength`.

Small models need a limit to their texts, strict servers refuse it: so it is sent, and left out
where the refusal names it, rather than giving up the schema as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LIMITS = (
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
)
"""Keywords that only narrow a value: without them every answer that fitted still fits."""

_BY_LOWER = {name.lower(): name for name in LIMITS}
_NAMED = re.compile(rf"\b(?:{'|'.join(_BY_LOWER)})\b")
_NAMES_TO_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
_UNWANTED = re.compile(
    r"not (?:permitted|supported|allowed)|n't support|unsupported|un(?:known|recog)"
)


def refused_limits(words: str, form: Mapping[str, object]) -> frozenset[str]:
    """The limits in the schema of a `response_format` that an error's words (lower case) refuse."""
    if not _UNWANTED.search(words):
        return frozenset()
    named = {_BY_LOWER[found] for found in _NAMED.findall(words)}
    return frozenset(name for name in named if without(form, frozenset({name})) != dict(form))


def without(form: Mapping[str, object], limits: frozenset[str]) -> dict[str, object]:
    """A copy of a schema, or of anything that holds one, without these keywords at any depth."""
    copy: dict[str, object] = {}
    for key, value in form.items():
        if key in limits:
            continue
        if key in _NAMES_TO_SCHEMAS and isinstance(value, Mapping):
            # A property may be called "pattern" too.
            copy[key] = {name: _inside(each, limits) for name, each in value.items()}
        else:
            copy[key] = value if key in ("enum", "const", "default") else _inside(value, limits)
    return copy


def _inside(value: object, limits: frozenset[str]) -> object:
    if isinstance(value, Mapping):
        return without(value, limits)
    if isinstance(value, list | tuple):
        return [_inside(each, limits) for each in value]
    return value
