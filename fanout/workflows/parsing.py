"""From plain data to a checked workflow; each complaint names its source and the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from fanout.errors import DefinitionError
from fanout.workflows.definition import (
    Judges,
    Models,
    Moderation,
    Reasoning,
    Research,
    Sectioning,
    Workflow,
)
from fanout.workflows.places import place
from fanout.workflows.specs import MAX_BRANCHES

KINDS: dict[str, type[Workflow]] = {
    "sectioning": Sectioning,
    "models": Models,
    "moderation": Moderation,
    "judges": Judges,
    "reasoning": Reasoning,
    "research": Research,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong with a definition, and where."""

    where: tuple[str | int, ...]
    """Path of the field: ("branches", 1, "title"); empty where it is about the whole."""
    message: str


def parse(data: Mapping[str, object], *, name: str, source: str = "") -> Workflow:
    """A checked workflow from plain data; DefinitionError names its source and each bad field."""
    source = source or name
    try:
        return _kind(data).model_validate(_named(data, name))
    except DefinitionError as error:
        raise DefinitionError(f"{source}: {error}") from None
    except ValueError as error:
        raise DefinitionError(f"{source}: {_in_words(error)}") from None


def complaints(data: Mapping[str, object], *, name: str) -> tuple[Complaint, ...]:
    """Everything that keeps this data from being a workflow, field by field; none: it is one."""
    try:
        _kind(data).model_validate(_named(data, name))
    except DefinitionError as error:
        return (Complaint(where=place(str(error), data), message=str(error)),)
    except ValidationError as error:
        return tuple(
            Complaint(where=item["loc"], message=_COMPLAINTS.get(item["type"], item["msg"].lower()))
            for item in error.errors(include_url=False, include_input=False)
        )
    return ()


def _named(data: Mapping[str, object], name: str) -> dict[str, object]:
    """With its name; a deadline that is `false` is none, for which TOML has no word."""
    deadlines = data.get("deadlines")
    if isinstance(deadlines, Mapping):
        seconds = {key: None if s is False else s for key, s in deadlines.items()}
        return {**data, "deadlines": seconds, "name": name}
    return {**data, "name": name}


def _kind(data: Mapping[str, object]) -> type[Workflow]:
    kind = data.get("kind", "sectioning")
    if not isinstance(kind, str) or kind not in KINDS:
        offer = ", ".join(KINDS)
        raise DefinitionError(f'there is no workflow kind "{kind}"; use one of {offer}.')
    return KINDS[kind]


def _in_words(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{field_words(item['loc'])} {_COMPLAINTS.get(item['type'], item['msg'].lower())}"
        for item in error.errors(include_url=False, include_input=False)
    )


_COMPLAINTS = {
    "extra_forbidden": "is not a known field",
    "missing": "is missing",
    "string_too_short": "is empty",
    "too_short": "needs at least one entry",
    "too_long": f"has more than {MAX_BRANCHES} entries",
    "string_pattern_mismatch": "may hold small letters, digits and single hyphens only",
    "string_too_long": "is too long",
    "string_type": "should be text",
}
"""pydantic's types of error as a person says them; others keep pydantic's words."""


def field_words(path: tuple[str | int, ...]) -> str:
    """A place in a file, counted as people count: "branch 2: title"."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words = f"{words.removesuffix('es')} {part + 1}"
        else:
            words = f"{words}: {part}" if words else part
    return words or "the file"
