"""An object held against a form's schema: what fits is kept, what doesn't is named.

Limits on the length of texts are for the writer: a reason that is too long is still a reason. A
number outside its scale is no answer; it is neither clamped nor guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

from fanout.structured import complaints
from fanout.structured import schema as says
from fanout.structured.coercion import coerced_object
from fanout.structured.schema import Schema

REASONS = frozenset(
    {"reason", "reasons", "reasoning", "rationale", "explanation", "justification", "why"}
)
"""Names of a first property without which an answer still counts: the words before a verdict."""

_FOR_THE_WRITER = frozenset({"maxLength"})
_MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What an object gives of a form."""

    value: Mapping[str, object] | None
    """None where something required is missing or can't be used."""
    found: bool
    """Whether it holds any of the form's properties at all."""
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    path: tuple[str, ...]
    problem: str
    missing: bool = False


def fit(found: Mapping[str, object], schema: Schema) -> Fit:
    """Keep the schema's properties of an object; optional ones that don't fit are left out.

    An object with none of them does not fit, also where none is required.
    """
    value = coerced_object(found, schema)
    held = bool(value)
    if not held and not says.required(schema):
        return Fit(value=None, found=False, problem="The answer holds nothing of what was asked.")
    notes = _with_reason(value, schema)
    for _ in range(_MOST_ROUNDS):
        faults = _faults(value, schema)
        if not faults:
            return Fit(value=value, found=held, problem=" ".join(dict.fromkeys(notes)))
        fatal = [fault for fault in faults if not _left_out(value, schema, fault)]
        if fatal:
            return Fit(value=None, found=held, problem=_problem(fatal, schema))
        notes += [fault.problem for fault in faults]
    return Fit(value=None, found=held, problem=" ".join(dict.fromkeys(notes)))


def _with_reason(value: dict[str, object], schema: Schema) -> list[str]:
    """Let an answer without its reason count; the sentence that says so, if it has none."""
    first = next(iter(says.properties(schema)), "")
    required = says.required(schema)
    if first in value or first not in required or len(required) < 2:
        return []
    if first.casefold() not in REASONS or not says.is_free_text(says.properties(schema)[first]):
        return []
    rest = dict(value)
    value.clear()
    value |= {first: "", **rest}
    return [complaints.missing([(first,)], schema)]


def _faults(value: Mapping[str, object], schema: Schema) -> list[_Fault]:
    try:
        errors: list[ValidationError] = list(Draft202012Validator(schema).iter_errors(value))
        return [
            fault
            for error in errors
            if error.validator not in _FOR_THE_WRITER
            for fault in _faults_of(error, value, schema)
        ]
    except (RecursionError, ArithmeticError):
        return [_Fault(path=(), problem="The answer is too complicated to be read.")]


def _faults_of(error: ValidationError, value: Mapping[str, object], schema: Schema) -> list[_Fault]:
    path: list[str] = []
    for step in error.absolute_path:
        if not isinstance(step, str):
            break
        path.append(step)
    place = tuple(path)
    if error.validator == "required" and len(place) == len(error.absolute_path):
        lacking = [name for name in error.validator_value if name not in error.instance]
        return [
            _Fault(
                path=(*place, name),
                problem=complaints.missing([(*place, name)], schema),
                missing=True,
            )
            for name in lacking
        ]
    if not place:
        return [_Fault(path=(), problem="The answer does not have the form that was asked for.")]
    # What is wrong with a list's entry is wrong with the list.
    inside = len(error.absolute_path) - len(place)
    culprit = error.instance if not inside else _found(value, place)
    return [_Fault(path=place, problem=complaints.unfit(place, culprit, schema))]


def _found(value: object, path: Sequence[str]) -> object:
    for name in path:
        value = value[name] if isinstance(value, Mapping) else None
    return value


def _left_out(value: dict[str, object], schema: Schema, fault: _Fault) -> bool:
    """Leave out the innermost optional thing around a fault; False where all of it is required."""
    for depth in range(len(fault.path) - 1, -1, -1):
        holder, shape = _held(value, schema, fault.path[:depth])
        if fault.path[depth] not in says.required(shape):
            holder.pop(fault.path[depth], None)
            return True
    return False


def _held(
    value: dict[str, object], schema: Schema, path: Sequence[str]
) -> tuple[dict[str, object], Schema]:
    for name in path:
        inner = value.get(name)
        value = cast("dict[str, object]", inner) if isinstance(inner, dict) else {}
        schema = says.properties(schema).get(name, {})
    return value, schema


def _problem(fatal: list[_Fault], schema: Schema) -> str:
    lacking = list(dict.fromkeys(fault.path for fault in fatal if fault.missing))
    sentences = [fault.problem for fault in fatal if not fault.missing]
    if lacking:
        sentences.append(complaints.missing(lacking, schema))
    return " ".join(dict.fromkeys(sentences))
