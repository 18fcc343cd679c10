"""Improvised answers in a form fit the schema, stay the same, and differ between requests."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fanout.providers.script import Playback, Reply, Rule, Script
from fanout.providers.script_forms import improvised_form
from fanout.structured.asking import Rung, response_format
from fanout.structured.reading import read
from fanout.types import Form
from tests.structured.forms import SCORES, VOTE

PLAYBACK = Playback(Script(otherwise=Reply()))

ODD = Form(
    name="odd",
    schema={
        "type": "object",
        "properties": {
            "yes": {"type": "boolean"},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "short": {"type": "string", "maxLength": 20},
            "points": {
                "type": "array",
                "minItems": 3,
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "rank": {"type": "integer"}},
                    "required": ["name", "rank"],
                },
            },
            "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["yes", "share", "short", "points"],
    },
)


def improvised(form: Form, prompt: str, seed: str = "") -> str:
    reply = PLAYBACK.next_reply(
        model="any",
        prompt=prompt,
        response_format=response_format(form, Rung.JSON_SCHEMA),
        seed=seed,
    )
    return reply.text or ""


@pytest.mark.parametrize("form", [VOTE, SCORES, ODD], ids=lambda form: form.name)
def test_an_improvised_answer_fits_its_schema(form: Form) -> None:
    for n in range(50):
        text = improvised(form, f"Topic: number {n}", str(n))
        Draft202012Validator(form.schema).validate(json.loads(text))
        reading = read(form, text)
        assert (reading.rung, reading.problem) == ("json", "")
        assert improvised(form, f"Topic: number {n}", str(n)) == text


def test_votes_of_a_demo_mostly_agree_and_not_always() -> None:
    votes = Counter(
        json.loads(improvised(VOTE, "Judge this.", str(n)))["verdict"] for n in range(200)
    )
    assert votes.most_common(1)[0][0] == "allow"
    assert 80 < votes["allow"] < 160
    assert min(votes["flag"], votes["block"]) > 10


def test_rankings_differ_and_name_everything_once() -> None:
    rankings = {
        tuple(json.loads(improvised(SCORES, "Rank.", str(n)))["ranking"]) for n in range(50)
    }
    assert len(rankings) > 3
    assert all(sorted(ranking) == ["A", "B", "C"] for ranking in rankings)


def test_rules_and_their_texts_come_first() -> None:
    playback = Playback(Script(rules=(Rule(prompt="x", replies=(Reply(text="As written."),)),)))
    wire = response_format(VOTE, Rung.JSON_SCHEMA)
    assert playback.next_reply(model="m", prompt="x", response_format=wire).text == "As written."


@pytest.mark.parametrize("asked", [{}, {"type": "text"}, {"type": 3}])
def test_a_form_that_is_none_leaves_prose(asked: dict[str, object]) -> None:
    assert improvised_form(asked, "Prose.", "") is None


@pytest.mark.parametrize(
    "schema", [None, 1, {}, {"type": "object"}, {"properties": 1}, {"$ref": "#"}]
)
def test_a_broken_schema_breaks_nothing(schema: object) -> None:
    asked = {"type": "json_schema", "json_schema": {"schema": schema}}
    json.loads(improvised_form(asked, "Prose.", "") or "")
