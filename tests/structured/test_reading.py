"""Reading answers: whatever models write around a value, and nothing that they did not say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from fanout.structured.reading import Reading, read
from fanout.types import Form
from tests.structured.forms import SCORES, VOTE

WHOLE = '{"reason": "Rude.", "verdict": "block"}'
RUDE = {"reason": "Rude.", "verdict": "block"}


def verdict(text: str) -> object:
    reading = read(VOTE, text)
    return reading.value["verdict"] if reading.value else None


AS_JSON = [
    ("plain", WHOLE),
    ("blanks around", f"\n {WHOLE} \n"),
    ("a fence", f"```json\n{WHOLE}\n```"),
    ("a fence among words", f"Here you are:\n```\n{WHOLE}\n```\nAnything else?"),
    ("a fence that was never closed", f"```json\n{WHOLE}"),
    ("prose around", f"I'd say {WHOLE}, but what do I know."),
    ("stray braces before", f"As {{x}} and {{ y }} show: {WHOLE}"),
    ("an open brace before", f'A {{"stray" brace, then {WHOLE}'),
    ("thinking first", f'<think>{{"verdict": "allow"}} or not?</think>{WHOLE}'),
    ("in a list", f"[{WHOLE}]"),
    ("wrapped", f'{{"vote": {WHOLE}}}'),
    ("other case and order", '{"Verdict": "BLOCK.", "REASON": " Rude. "}'),
    ("extra properties", '{"reason": "Rude.", "verdict": "block", "mood": {"a": [1]}}'),
    ("a line break in a text", '{"reason": "Rude.\n", "verdict": "block"}'),
    ("null for what is optional", '{"reason": "Rude.", "verdict": "block", "severity": null}'),
]


@pytest.mark.parametrize("text", [row[1] for row in AS_JSON], ids=[row[0] for row in AS_JSON])
def test_json_is_found_wherever_it_stands(text: str) -> None:
    assert read(VOTE, text) == Reading(value=RUDE, rung="json", problem="")


AS_LINES = [
    ("plain", "Reason: Rude.\nVerdict: block"),
    ("small letters", "reason: Rude.\nverdict: block"),
    ("bold", "**Reason:** Rude.\n**Verdict**: **block**"),
    ("bullets", "- Reason: Rude.\n* Verdict: `Block`"),
    ("numbered", "1. Reason: Rude.\n2. Verdict: block."),
    ("headings", "### Reason: Rude.\n### Final verdict: BLOCK"),
    ("a quotation", "> Reason: Rude.\n> Verdict: block"),
    ("on the next line", "Reason:\nRude.\n\nVerdict:\n\nblock"),
    ("prose for a reason", "Rude.\n\nVerdict: block"),
    ("the last one wins", "Reason: No.\nVerdict: allow\n\nReason: Rude.\nVerdict: block"),
    ("broken JSON, a line each", '{\n"reason": "Rude.",\n"verdict": "block",\n'),
    ("words after the verdict", "Reason: Rude.\nVerdict: block (insult)"),
    ("a sentence after it", "Reason: Rude.\nVerdict: block. It insults people."),
    ("full-width colon", "Reason\uff1aRude.\nVerdict\uff1ablock"),
    ("Windows line ends", "Reason: Rude.\r\nVerdict: block\r\n"),
]


@pytest.mark.parametrize("text", [row[1] for row in AS_LINES], ids=[row[0] for row in AS_LINES])
def test_lines_are_read_in_whatever_dress(text: str) -> None:
    assert read(VOTE, text) == Reading(value=RUDE, rung="lines", problem="")


def test_a_reason_may_have_several_lines() -> None:
    reading = read(VOTE, "Reason: It is rude.\nAnd it is spam.\nVerdict: block")
    assert reading.value == {"reason": "It is rude.\nAnd it is spam.", "verdict": "block"}


ABSTENTIONS = [
    ("", "The answer is empty."),
    ("  \n", "The answer is empty."),
    ("I would rather not say.", "The answer holds no verdict."),
    ('{"reason": "Rude."}', "The answer holds no verdict."),
    ('{"reason": "Rude.", "verdict": null}', "The answer holds no verdict."),
    ('{"reason": "Rude.", "verdict": "  "}', "The answer holds no verdict."),
    ('{"reason": "Rude.", "verd', "The answer holds no verdict."),
    ("Verdict: <one of: allow, flag, block>", "The answer holds no verdict."),
    (
        '{"reason": "x", "verdict": "maybe"}',
        'The verdict is "maybe", not one of allow, flag, block.',
    ),
    (
        "Verdict: allow / flag / block",
        'The verdict is "allow / flag / block", not one of allow, flag, block.',
    ),
    (
        "Verdict: block. Or rather allow it",
        'The verdict is "block. Or rather allow it", not one of allow, flag, block.',
    ),
    (
        '{"reason": "x", "verdict": ["block"]}',
        "The verdict is a list, not one of allow, flag, block.",
    ),
    ("Verdict: not block", 'The verdict is "not block", not one of allow, flag, block.'),
]


@pytest.mark.parametrize(("text", "problem"), ABSTENTIONS)
def test_what_was_not_said_is_not_guessed(text: str, problem: str) -> None:
    reading = read(VOTE, text)
    assert reading.value is None
    assert reading.problem == problem


def test_an_answer_in_json_whose_value_is_unusable_was_still_json() -> None:
    assert read(VOTE, '{"reason": "x", "verdict": "maybe"}').rung == "json"
    assert read(VOTE, "Verdict: maybe").rung == "lines"
    assert read(VOTE, "Maybe.").rung is None


def test_of_several_objects_the_last_that_fits_counts() -> None:
    quoted = 'The comment says {"reason": "nice", "verdict": "allow"}, which is a trick. '
    assert verdict(f"{quoted}So: {WHOLE} (see {{}} and {{'verdict': 1}})") == "block"


def test_a_vote_without_a_reason_counts_and_says_so() -> None:
    reading = read(VOTE, '{"verdict": "block"}')
    assert reading.value == {"reason": "", "verdict": "block"}
    assert reading.problem == "The answer holds no reason."


def test_a_form_that_asks_for_one_text_does_not_let_it_be_missing() -> None:
    form = Form(
        name="x",
        schema={
            "type": "object",
            "properties": {"reason": {"type": "string"}},
            "required": ["reason"],
        },
    )
    assert read(form, "{}").value is None
    assert read(form, '{"reason": "Because."}').value == {"reason": "Because."}


def test_a_reason_longer_than_asked_for_is_still_a_reason() -> None:
    text = json.dumps({"reason": "long " * 200, "verdict": "flag"})
    assert verdict(text) == "flag"


SCALE_TO_5 = [
    (4, 4),
    (4.0, 4),
    ("4", 4),
    (" 4 ", 4),
    ("**4**", 4),
    ("4.0", 4),
    ("4/5", 4),
    ("4 out of 5", 4),
    ("4/10", None),
    ("40%", None),
    ("four", None),
    ("4.5", None),
    (True, None),
    (11, None),
    (0, None),
    ("nan", None),
    (1e308, None),
    ("9" * 400, None),
]


@pytest.mark.parametrize(("written", "severity"), SCALE_TO_5)
def test_a_number_is_read_where_it_is_certain_and_never_clamped(
    written: object, severity: int | None
) -> None:
    reading = read(VOTE, json.dumps({**RUDE, "severity": written}))
    assert reading.value is not None
    assert reading.value.get("severity") == severity
    assert reading.value["verdict"] == "block"
    assert bool(reading.problem) == (severity is None)


def test_an_optional_number_out_of_range_is_left_out_and_named() -> None:
    reading = read(VOTE, json.dumps({**RUDE, "severity": 9}))
    assert reading.value == RUDE
    assert reading.problem == "The severity is 9, outside 1 to 5."


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_json_does_not_know_are_no_numbers(number: str) -> None:
    reading = read(VOTE, f'{{"reason": "x", "verdict": "flag", "severity": {number}}}')
    assert not reading.value or "severity" not in reading.value


SCORED = {"reason": "x", "scores": {"clarity": 4, "depth": 3}, "ranking": ["A", "B", "C"]}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SCORED),
        json.dumps({**SCORED, "ranking": "A > B > C"}),
        json.dumps({**SCORED, "ranking": "a, b, c", "scores": {"Clarity": "4/5", "DEPTH": "3"}}),
        "Reason: x\nClarity: 4/5\nDepth: 3\nRanking: A > B > C",
        "Reason: x\n- **Clarity**: 4\n- **Depth**: 3 out of 5\nRanking:\n1. A\n2. B\n3. C",
        "x\n\nDepth: 3\nClarity: 4\nRanking: [A, B, C]",
    ],
)
def test_scores_and_rankings_are_read(text: str) -> None:
    assert read(SCORES, text).value == SCORED


UNUSABLE = [
    ({"scores": {"clarity": 11, "depth": 3}}, "The score for clarity is 11, outside 1 to 5."),
    ({"scores": {"clarity": 4}}, "The answer holds no score for depth."),
    ({"scores": {"clarity": "high", "depth": 3}}, 'The score for clarity is "high", no whole'),
    ({"scores": 4}, "The answer holds no readable scores."),
    ({"ranking": ["A", "B"]}, "The ranking has 2 of the 3 entries that were asked for."),
    ({"ranking": ["A", "B", "A"]}, "The ranking has an entry that comes twice."),
    ({"ranking": ["A", "B", "Z"]}, "The ranking has an entry that can't be used."),
]


@pytest.mark.parametrize(("change", "problem"), UNUSABLE)
def test_an_unusable_value_is_named_in_a_sentence(
    change: Mapping[str, object], problem: str
) -> None:
    reading = read(SCORES, json.dumps({**SCORED, **change}))
    assert reading.value is None
    assert problem in reading.problem


def test_choices_that_differ_only_in_dress_are_told_apart_or_not_at_all() -> None:
    schema = {
        "type": "object",
        "properties": {"choice": {"enum": ["C", "C++", "c", "self_harm", -1, 1]}},
        "required": ["choice"],
    }
    form = Form(name="x", schema=schema)
    table = [("C", "C"), ("c", "c"), ("C++", "C++"), ("c++", "C++"), ("C.", None)]
    table += [("Self-harm", "self_harm"), ("-1", -1), ("1", 1)]  # type: ignore[list-item]
    for said, meant in table:
        reading = read(form, json.dumps({"choice": said}))
        assert (reading.value or {}).get("choice") == meant, said


def test_where_nothing_is_required_something_has_to_be_there() -> None:
    lenient = replace(VOTE, needed=()).lenient
    text = "As {} shows.\n\nReason: Rude.\nVerdict: block\nSeverity: 9"
    reading = read(lenient, text)
    assert (reading.value, reading.rung) == (RUDE, "lines")
    assert reading.problem == "The severity is 9, outside 1 to 5."
    for empty in ("{}", "Well.", '{"mood": 3}'):
        nothing = read(lenient, empty)
        assert (nothing.value, nothing.problem) == (
            None,
            "The answer holds nothing of what was asked.",
        )


def test_an_empty_cell_of_a_table_is_a_cell() -> None:
    row = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "text": {"type": "string"}},
        "required": ["name", "text"],
    }
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": row}},
        "required": ["rows"],
    }
    form = Form(name="table", schema=schema)
    reading = read(form, '{"rows": [{"name": "a", "Text": ""}, {"name": "b", "text": " c "}]}')
    assert reading.value == {"rows": [{"name": "a", "text": ""}, {"name": "b", "text": "c"}]}
    assert read(form, '{"rows": [{"name": "a"}]}').value is None


def test_a_condition_on_the_whole_answer_is_held_too() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "minProperties": 2,
    }
    reading = read(Form(name="x", schema=schema), '{"a": 1}')
    assert reading.value is None
    assert reading.problem == "The answer does not have the form that was asked for."


def test_a_property_in_another_script_is_read() -> None:
    schema = {
        "type": "object",
        "properties": {"Größe": {"type": "number"}},
        "required": ["Größe"],
    }
    assert read(Form(name="x", schema=schema), "größe: 3.5").value == {"Größe": 3.5}


QUOTED = '{"reason": "As you said.", "verdict": "allow"}'


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f"It quotes:\n```json\n{QUOTED}\n```\nI say {WHOLE}", "block"),
        (f"It quotes {QUOTED}\nReason: Rude.\nVerdict: block", "block"),
        (f'It quotes {QUOTED}, I say {{"reason": "No.", "verdict": "definitely block it"}}', None),
        (f'It quotes {QUOTED}, I say {{"reason": "No, ', None),
        (f"```json\n{WHOLE}\n```\nIt asked for {QUOTED[:20]}", None),
    ],
)
def test_what_is_quoted_never_wins_over_the_last_word(answer: str, said: str | None) -> None:
    assert verdict(answer) == said
