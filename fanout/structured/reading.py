"""An answer read into the values that its form asks for: as JSON, or as `Name: value` lines.

Models put an answer into a code fence, into prose, or think aloud first. So the places are tried in
this order: the whole text, fenced code, objects in prose, lines. Where several fit in one place the
last one counts, since what a model settles on stands at the end, and what it quotes (the content it
judges may hold a verdict of its own) mostly before that. Whatever can't be read for certain is no
value: a vote is never guessed.
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
from fanout.types import Form

MOST_CHARS = 200_000
"""Objects in prose and lines are looked for in this much of the end of an answer."""

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
    problem = ""
    rung: Literal["json", "lines"] | None = None
    for place in (_whole, _fenced, _in_prose):
        for found in islice(reversed(list(place(text))), _MOST_TRIED):
            fitted = _fit(found, form)
            if fitted.value is not None:
                return Reading(value=fitted.value, rung="json", problem=fitted.problem)
            if fitted.found and not problem:
                problem, rung = fitted.problem, "json"
    fitted = fit(in_lines(text[-MOST_CHARS:], form.schema), form.schema)
    if fitted.value is not None:
        return Reading(value=fitted.value, rung="lines", problem=fitted.problem)
    if rung is None and fitted.found:
        rung = "lines"
    return Reading(value=None, rung=rung, problem=problem or fitted.problem)


def _fit(found: Mapping[str, object], form: Form) -> Fit:
    """The object, or the one that it does nothing but wrap."""
    fitted = fit(found, form.schema)
    if fitted.value is None and len(found) == 1:
        (inner,) = found.values()
        if isinstance(inner, dict):
            unwrapped = fit(cast("Mapping[str, object]", inner), form.schema)
            return unwrapped if unwrapped.found else fitted
    return fitted


def _whole(text: str) -> Iterator[Mapping[str, object]]:
    try:
        value: object = _JSON.decode(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        yield value


def _fenced(text: str) -> Iterator[Mapping[str, object]]:
    for block in text.split("```")[1::2]:
        start = block.find("{")
        if start >= 0:
            yield from _whole(block[start:].strip())


def _in_prose(text: str) -> Iterator[Mapping[str, object]]:
    """The objects that stand in the text one after the other, as far as a bound on work allows."""
    text = text[-MOST_CHARS:]
    work = 0
    opening = _OBJECT.search(text)
    while opening is not None and work < _MOST_WORK:
        start = opening.start()
        try:
            value, end = _JSON.raw_decode(text, start)
            work += end - start
            yield value
        except json.JSONDecodeError as problem:
            end = start + 1
            work += problem.pos - start + _COST_OF_A_FAILURE
        except (ValueError, RecursionError):
            end = start + 1
            work += _MOST_WORK // 100
        opening = _OBJECT.search(text, end)
