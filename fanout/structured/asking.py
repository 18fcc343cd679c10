"""How an answer in a form is asked for: what the request carries and what the prompt says.

Nothing here shows an example verdict, since a small model copies what it is shown: the examples
hold placeholders that name every choice, and a placeholder that comes back is read as no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import assert_never

from fanout.structured import schema as says
from fanout.structured.schema import Schema
from fanout.structured.strict import strict
from fanout.types import Form, Message


class Rung(StrEnum):
    """How an answer's form is asked for, the surest way first."""

    JSON_SCHEMA = "json_schema"
    """The endpoint holds the model to the schema."""
    JSON_OBJECT = "json_object"
    """The endpoint holds the model to JSON; the prompt says which."""
    LINES = "lines"
    """The prompt asks for `Name: value` lines at the end; every model can be asked that."""

    @property
    def below(self) -> Rung | None:
        """The next way to try; None below `LINES`."""
        return _BELOW[self]


_BELOW = {Rung.JSON_SCHEMA: Rung.JSON_OBJECT, Rung.JSON_OBJECT: Rung.LINES, Rung.LINES: None}


def response_format(form: Form, rung: Rung) -> Mapping[str, object] | None:
    """The request's `response_format`; None where the prompt alone asks for the form."""
    match rung:
        case Rung.JSON_SCHEMA:
            schema = {"name": form.name, "schema": strict(form.schema), "strict": True}
            return {"type": "json_schema", "json_schema": schema}
        case Rung.JSON_OBJECT:
            return {"type": "json_object"}
        case Rung.LINES:
            return None
        case _:
            assert_never(rung)


def asked(messages: tuple[Message, ...], form: Form, rung: Rung) -> tuple[Message, ...]:
    """The messages, the last of the user's followed by what the answer should look like."""
    request = _request(form.schema, rung)
    if not messages or messages[-1].role != "user":
        return (*messages, Message(role="user", content=request))
    last = messages[-1]
    return (*messages[:-1], replace(last, content=f"{last.content.rstrip()}\n\n{request}"))


def _request(schema: Schema, rung: Rung) -> str:
    match rung:
        case Rung.JSON_SCHEMA:
            names = list(says.properties(schema))
            return f"Answer as a JSON object with {_listed(names)}, in this order."
        case Rung.JSON_OBJECT:
            fields = "\n".join(
                f"- {_field(name, each)}" for name, each in says.properties(schema).items()
            )
            return (
                f"Answer with one JSON object and no other text:\n{_shape(schema)}\n"
                f"Put your own values in place of <...>:\n{fields}"
            )
        case Rung.LINES:
            lines = "\n".join(_lines(schema))
            return f"End with these lines, your own values in place of <...>:\n{lines}"
        case _:
            assert_never(rung)


def _field(name: str, schema: Schema) -> str:
    described = str(schema.get("description") or "").strip()
    return f"{name}: {_meaning(schema)}" + (f". {described}" if described else "")


def _lines(schema: Schema) -> list[str]:
    lines: list[str] = []
    for name, each in says.properties(schema).items():
        if says.kind(each) == "object":
            lines += _lines(each)
        else:
            lines.append(f"{label(name)}: <{_meaning(each)}>")
    return lines


def label(name: str) -> str:
    """A property's name as a line begins with it."""
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def _shape(schema: Schema) -> str:
    if says.kind(schema) == "object":
        inner = (
            f"{json.dumps(name)}: {_shape(each)}" for name, each in says.properties(schema).items()
        )
        return "{" + ", ".join(inner) + "}"
    if says.kind(schema) == "array":
        return f"[{_shape(says.items(schema))}, ...]"
    placeholder = f"<{_meaning(schema)}>"
    quoted = says.kind(schema) in ("string", "")
    return f'"{placeholder}"' if quoted else placeholder


def _meaning(schema: Schema) -> str:
    choices = says.choices(schema)
    if choices:
        return "one of: " + ", ".join(str(choice) for choice in choices)
    match says.kind(schema):
        case "integer":
            return f"a whole number{_span(schema)}"
        case "number":
            return f"a number{_span(schema)}"
        case "boolean":
            return "true or false"
        case "array":
            return f"a list, each entry {_meaning(says.items(schema))}"
        case "object":
            return "an object with " + _listed(list(says.properties(schema)))
        case _:
            most = schema.get("maxLength")
            return f"text of at most {most} characters" if most else "text"


def _span(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    match least is not None, most is not None:
        case True, True:
            return f" from {least} to {most}"
        case True, False:
            return f", {least} or more"
        case False, True:
            return f", {most} or less"
        case _:
            return ""


def _listed(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
