"""From plain data to a checked workflow; each complaint names its source and the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

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
from fanout.workflows.faults import faults, in_words
from fanout.workflows.places import place

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
    with _told_of(source or name):
        return _kind(data).model_validate(_named(data, name))


def checked(workflow: Workflow) -> Workflow:
    """The same one, looked at anew: `model_copy` changes fields unseen. DefinitionError."""
    with _told_of(f'workflow "{str(workflow.name)[:40]}"'):
        return type(workflow).model_validate(_plain(workflow))


def complaints(data: Mapping[str, object], *, name: str) -> tuple[Complaint, ...]:
    """Everything that keeps this data from being a workflow, field by field; none: it is one."""
    try:
        _kind(data).model_validate(_named(data, name))
    except DefinitionError as error:
        return (Complaint(where=place(str(error), data), message=str(error)),)
    except ValidationError as error:
        return tuple(Complaint(where=path, message=said) for path, said in faults(error))
    return ()


@contextmanager
def _told_of(source: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise DefinitionError(f"{source}: {in_words(error)}") from None
    except (DefinitionError, ValueError) as error:
        raise DefinitionError(f"{source}: {error}") from None


def _plain(value: object) -> object:
    """Down to what no model has checked."""
    if isinstance(value, BaseModel):
        return {name: _plain(field) for name, field in vars(value).items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


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
