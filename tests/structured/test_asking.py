"""Asking for a form: what the request carries, what the prompt says, and what it never shows."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fanout.structured.asking import Rung, asked, response_format
from fanout.types import Form, Message
from tests.structured.forms import SCORES, VOTE

SYSTEM = Message(role="system", content="You judge.")
USER = Message(role="user", content="Judge this.\n")


@pytest.mark.parametrize("rung", Rung)
@pytest.mark.parametrize("form", [VOTE, SCORES], ids=lambda form: form.name)
def test_the_request_follows_what_the_user_said(form: Form, rung: Rung) -> None:
    first, last = asked((SYSTEM, USER), form, rung)
    assert first == SYSTEM
    assert last.role == "user"
    assert last.content.startswith("Judge this.\n\n")
    assert asked((SYSTEM,), form, rung)[0] == SYSTEM
    assert asked((SYSTEM,), form, rung)[1].role == "user"
    assert asked((), form, rung)[0].role == "user"


@pytest.mark.parametrize("rung", Rung)
def test_every_field_is_named(rung: Rung) -> None:
    text = asked((USER,), SCORES, rung)[-1].content.casefold()
    leaves = ["reason", "ranking"] if rung is Rung.JSON_SCHEMA else ["clarity", "depth", "ranking"]
    assert all(name in text for name in leaves)


def test_no_choice_is_named_more_often_than_another() -> None:
    for rung in Rung:
        text = asked((USER,), VOTE, rung)[-1].content
        assert len({text.count(choice) for choice in ("allow", "flag", "block")}) == 1, rung


def test_json_mode_is_asked_for_with_the_word_that_openai_demands() -> None:
    assert "JSON" in asked((USER,), VOTE, Rung.JSON_OBJECT)[-1].content
    assert response_format(VOTE, Rung.JSON_OBJECT) == {"type": "json_object"}
    assert response_format(VOTE, Rung.LINES) is None


def test_lines_end_the_request_with_a_line_per_field() -> None:
    text = asked((USER,), SCORES, Rung.LINES)[-1].content
    names = [line.partition(":")[0] for line in text.splitlines()[-4:]]
    assert names == ["Reason", "Clarity", "Depth", "Ranking"]


def objects(schema: object) -> list[dict[str, object]]:
    if isinstance(schema, list):
        return [found for each in schema for found in objects(each)]
    if not isinstance(schema, dict):
        return []
    inner = [found for each in schema.values() for found in objects(each)]
    return [schema, *inner] if isinstance(schema.get("properties"), dict) else inner


OPTIONAL = Form(
    name="optional",
    schema={
        "type": "object",
        "properties": {
            "need": {"type": "string"},
            "free": {"enum": ["a", "b"], "type": "string"},
            "any": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "list": {
                "type": "array",
                "items": {"type": "object", "properties": {"x": {"type": "boolean"}}},
            },
            "ref": {"$ref": "#/$defs/leaf"},
        },
        "required": ("need",),
        "$defs": {"leaf": {"type": "object", "properties": {"y": {"type": "null"}}}},
    },
)


@pytest.mark.parametrize("form", [VOTE, SCORES, OPTIONAL], ids=lambda form: form.name)
def test_a_strict_schema_is_strict_at_every_depth(form: Form) -> None:
    before = json.dumps(form.schema)
    wire = response_format(form, Rung.JSON_SCHEMA)
    assert wire is not None
    described = wire["json_schema"]
    assert isinstance(described, dict)
    assert (described["name"], described["strict"]) == (form.name, True)
    for schema in objects(described["schema"]):
        assert schema["additionalProperties"] is False
        assert isinstance(schema["properties"], dict)
        assert schema["required"] == list(schema["properties"])
    Draft202012Validator.check_schema(described["schema"])
    assert json.dumps(form.schema) == before, "the form itself was changed"


def test_what_was_optional_may_be_null_when_it_is_strict() -> None:
    wire = response_format(OPTIONAL, Rung.JSON_SCHEMA) or {}
    described = wire["json_schema"]
    assert isinstance(described, dict)
    validator = Draft202012Validator(described["schema"])
    null = {"need": "x", "free": None, "any": None, "list": None, "ref": None}
    assert validator.is_valid(null)
    assert not validator.is_valid({**null, "need": None})
    assert validator.is_valid({**null, "free": "a", "any": 3, "list": [{"x": None}]})


def test_the_order_of_the_properties_is_kept() -> None:
    assert list(objects(response_format(VOTE, Rung.JSON_SCHEMA))[0]["required"]) == [  # type: ignore[call-overload]
        "reason",
        "verdict",
        "severity",
    ]
