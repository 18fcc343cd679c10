"""An answer read into the values that its form asks for: as JSON, or as `Name: value` lines.

Models put an answer into a code fence or into prose, they think aloud first, and they quote: the
content they judge may hold a verdict of its own. What a model settles on stands at the end, so the
last object that speaks the form's language counts, or the lines behind it. Where that last word
can't be used, nothing before it is taken in its place: a vote is never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal, cast

from fanout.structured.fitting import Fit, fit
from fanout.structured.lines import in_lines
from fanout.structured.schema import properties
from fanout.types import Form

MOST_CHARS = 200_000
"""Objects in prose and lines are looked for in this much of the end of an answer."""

_CUT = "The answer's JSON is not complete."
_MOST_TRIED = 50
_MOST_WORK = 4_000_000
_COST_OF_A_FAILURE = 1_000
_THOUGHT = "</think>"
_OBJECT = re.compile(r"\{\s*[\"}]")
# A number that JSON does not know becomes a text, and so no number.
_JSON = json.JSONDecoder(strict=False, parse_constant=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an answer says in its form's terms."""

    value: Mapping[str, object] | None
    """Every required property and whichever others could be used; None where one is missing."""
    rung: Literal["json", "lines"] | None
    """How it was written, also where a value in it can't be used; None where nothing of the form
    was found."""
    problem: str
    """What could not be used, in sentences for a person; empty where nothing is amiss."""


def read(form: Form, text: str) -> Reading:
    """The answer's values. Never raises, whatever the text; time grows with its length only."""
    text = text.rpartition(_THOUGHT)[2].strip()
    if not text:
        return Reading(value=None, rung=None, problem="The answer is empty.")
    whole = _whole(text)
    tail = text[-MOST_CHARS:]
    objects = list(_in_prose(tail, form)) if whole is None else [(len(tail), whole)]
    for end, found in islice(reversed(objects), _MOST_TRIED):
        fitted = _cut_off(form) if found is None else _fit(found, form)
        if fitted.found:
            later = fit(in_lines(tail[end:], form.schema), form.schema)
            if later.value is not None:
                return Reading(value=later.value, rung="lines", problem=later.problem)
            return Reading(value=fitted.value, rung="json", problem=fitted.problem)
    fitted = fit(in_lines(tail, form.schema), form.schema)
    return Reading(
        value=fitted.value, rung="lines" if fitted.found else None, problem=fitted.problem
    )


def _cut_off(form: Form) -> Fit:
    """An object that was begun and can't be read: nothing of it is taken."""
    return Fit(value=None, found=True, problem=fit({}, form.schema).problem or _CUT)


def _fit(found: Mapping[str, object], form: Form) -> Fit:
    """The object, or the one that it does nothing but wrap."""
    fitted = fit(found, form.schema)
    if fitted.value is None and len(found) == 1:
        (inner,) = found.values()
        if isinstance(inner, dict):
            unwrapped = fit(cast("Mapping[str, object]", inner), form.schema)
            return unwrapped if unwrapped.found else fitted
    return fitted


def _whole(text: str) -> Mapping[str, object] | None:
    """The answer where it is one object and nothing else."""
    try:
        value: object = _JSON.decode(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def _in_prose(text: str, form: Form) -> Iterator[tuple[int, Mapping[str, object] | None]]:
    """The objects that stand in the text one after the other, each with where it ends.

    None is one that was begun in the form's words and can't be read. A bound on work ends it.
    """
    work = 0
    opening = _OBJECT.search(text)
    names = re.compile("|".join(f'"{re.escape(name)}"' for name in properties(form.schema)) or "$^")
    while opening is not None and work < _MOST_WORK:
        start = opening.start()
        try:
            value, end = _JSON.raw_decode(text, start)
            work += end - start
            yield end, value
        except json.JSONDecodeError as problem:
            end = start + 1
            work += problem.pos - start + _COST_OF_A_FAILURE
            if names.match(text, start + len(opening[0]) - 1):
                yield end, None
        except (ValueError, RecursionError):
            end = start + 1
            work += _MOST_WORK // 100
        opening = _OBJECT.search(text, end)
