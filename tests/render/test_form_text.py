"""Structured answers as a person reads them: whole, half written, in lines, and ruined."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.render.form_text import form_text
from fanout.types import Form
from fanout.workflows.combining.guided import POINTS
from fanout.workflows.comparing import ranking_form

SCORE = {"type": "integer", "minimum": 1, "maximum": 5}
TEXT = {"type": "string"}


def form(**properties: object) -> Form:
    return Form(name="answer", schema={"type": "object", "properties": properties})


VOTE = form(
    reason=TEXT,
    category={"type": "string", "enum": ["none", "self-harm"]},
    severity={"type": "integer", "minimum": 0, "maximum": 4},
    verdict={"type": "string", "enum": ["allow", "flag", "block"]},
)
SCORES = form(reason=TEXT, clarity=SCORE, evidence=SCORE)
REASONED = form(reasoning=TEXT, answer=TEXT)
ROWS = form(
    rows={
        "type": "array",
        "items": {"type": "object", "properties": {"criterion": TEXT, "text_1": TEXT}},
    }
)
VOTED = {"reason": "It is rude.", "category": "self-harm", "severity": 3, "verdict": "block"}
READABLE = "It is rude.\n\n**Category** self-harm · **Severity** 3 of 4 · **Verdict** block"

WHOLE = [
    (VOTE, VOTED, READABLE),
    (VOTE, {"vote": VOTED}, READABLE),
    (
        SCORES,
        {"reason": "Fine.", "clarity": 4, "evidence": 10},
        "Fine.\n\n- Clarity **4** of 5\n- Evidence **10** of 5",
    ),
    (
        form(reason=TEXT, scores={"type": "object", "properties": {"clarity": SCORE}}),
        {"reason": "Fine.", "scores": {"clarity": 4}},
        "Fine.\n\n- Clarity **4** of 5",
    ),
    (ranking_form("abc"), {"reason": "", "ranking": ["B", "A"]}, "**Ranking** B, A"),
    (POINTS, {"points": ["Cost and\ntime", "Trust"]}, "- Cost and time\n- Trust"),
    (REASONED, {"reasoning": "3 x 12.", "answer": "36"}, "3 x 12.\n\n**Answer** 36"),
    (
        ROWS,
        {"rows": [{"criterion": "a|b", "text_1": "yes"}, {"criterion": "c"}]},
        "| Criterion | Text 1 |\n| --- | --- |\n| a\\|b | yes |\n| c |  |",
    ),
]


@pytest.mark.parametrize(("shape", "value", "readable"), WHOLE)
@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "{}\n"])
def test_an_answer_in_json_is_read_as_markdown(
    shape: Form, value: object, readable: str, around: str
) -> None:
    assert form_text(shape, around.replace("{}", json.dumps(value))) == readable
    assert form_text(shape, around.replace("{}", json.dumps(value, indent=2))) == readable


@pytest.mark.parametrize(("shape", "value", "readable"), WHOLE[:-1])
def test_while_it_is_written_it_only_grows_at_its_end(
    shape: Form, value: object, readable: str
) -> None:
    text = f"```json\n{json.dumps(value)}\n```"
    seen = [form_text(shape, text[:end]) for end in range(1, len(text) + 1)]
    for before, after in pairwise(seen):
        assert after.startswith(before.removesuffix("**")), (before, after)
    assert len(set(seen)) > 3


def test_a_table_fills_cell_by_cell() -> None:
    head = '{"rows": [{"criterion": "Cost", "text_1": "lo'
    assert form_text(ROWS, head).endswith("| Cost | lo |")


def test_a_number_waits_for_its_last_digit() -> None:
    assert form_text(VOTE, '{"reason": "7", "severity": 1') == "7"
    assert form_text(VOTE, '{"reason": "7') == "7"


@pytest.mark.parametrize(
    "text",
    [
        '{"reason": "One.\n\nTwo.", "verdict": "block"}',
        '{"reason": "One.\\n\\nTwo.", "verdict": "block",}',
        "Reason: One.\n\nTwo.\n\nVerdict: block",
        "One.\n\nTwo.\n**Verdict:** block",
    ],
)
def test_what_models_get_wrong_reads_the_same(text: str) -> None:
    assert form_text(VOTE, text) == "One.\n\nTwo.\n\n**Verdict** block"


def test_lines_of_the_form_become_its_fields_and_other_lines_stay() -> None:
    text = "Reason: rude.\nSee: here\nCategory: self-harm\n- Severity: 3\nVerdict: flag\n\nBye."
    assert form_text(VOTE, text) == (
        "rude.\nSee: here\n\n**Category** self-harm · **Severity** 3 · **Verdict** flag\n\nBye."
    )


@pytest.mark.parametrize(
    "text",
    ["block", "# Title\n\nSome *words*.", "{oh", "\\boxed{42} is {it}", '{"a" 1}', "[1, 2]", ""],
)
def test_an_answer_without_its_form_is_shown_as_it_is(text: str) -> None:
    assert form_text(VOTE, text) == text


def test_words_around_an_object_are_kept() -> None:
    text = f"Let me see.\n{json.dumps(VOTED)}\nDone."
    assert form_text(VOTE, text) == f"Let me see.\n\n{READABLE}\n\nDone."


ODD = st.text() | st.text(alphabet='{}[]":,\\u019n-\n` \ud800|') | st.text(alphabet='{}":, a\n')
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ODD)
def test_no_text_makes_it_fail(text: str) -> None:
    for shape in (VOTE, SCORES, ROWS, POINTS, Form(name="none", schema={})):
        assert isinstance(form_text(shape, text), str)


@given(st.dictionaries(st.sampled_from(["reason", "rows", "scores", "clarity"]), VALUES))
def test_no_value_in_the_wrong_place_makes_it_fail(value: dict[str, object]) -> None:
    for shape in (SCORES, ROWS):
        form_text(shape, json.dumps(value))


def test_what_is_long_or_deep_ends_soon() -> None:
    for text in ('{"a":' * 5_000, '{"' * 20_000, '{"reason": ' + "9" * 6_000 + "}", "[{" * 9_000):
        begun = time.process_time()
        form_text(VOTE, text)
        assert time.process_time() - begun < 2
