"""Reading anything at all: ruins, nonsense and megabytes raise nothing and take bounded time."""

from __future__ import annotations

import json
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.structured.asking import Rung, asked
from fanout.structured.reading import read
from fanout.types import Form, Message
from tests.structured.forms import SCORES, VOTE

WHOLE = '{"reason": "Rude.", "verdict": "block"}'


@given(st.text())
def test_no_text_is_too_much(text: str) -> None:
    for form in (VOTE, SCORES):
        reading = read(form, text)
        assert reading.value is not None or reading.problem


PIECES = ['{"', '"}', "verdict", "block", '"', ":", ": ", "\n", "{", "}", "[", "]", ",", "reason"]
PIECES += ["```", "</think>", "\\", "1", "null", "Verdict: allow", WHOLE, "\ud800", "\x00"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_ruin_of_an_answer_is_too_much(text: str) -> None:
    reading = read(VOTE, text)
    if reading.value is not None:
        assert reading.value["verdict"] in ("allow", "flag", "block")


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("reason", "scores", "ranking"), _JSON_VALUES))
)
def test_whatever_stands_in_the_fields_only_fitting_values_come_out(found: object) -> None:
    reading = read(SCORES, json.dumps(found))
    if reading.value is not None:
        scores = reading.value["scores"]
        assert isinstance(scores, dict)
        assert all(score in range(1, 6) for score in scores.values())
        assert sorted(reading.value["ranking"]) == ["A", "B", "C"]  # type: ignore[call-overload]


@given(
    st.text(min_size=1).filter(lambda text: text.strip() and not text.strip().startswith("<")),
    st.sampled_from(["allow", "flag", "block"]),
)
def test_json_that_fits_comes_back_as_it_is(reason: str, choice: str) -> None:
    reading = read(VOTE, json.dumps({"reason": reason, "verdict": choice}))
    assert reading.value == {"reason": reason.strip(), "verdict": choice}


HUGE = [
    ("brackets", "[" * 1_000_000),
    ("braces", "{" * 1_000_000),
    ("objects in objects", '{"a":' * 200_000),
    ("objects in lists", '[{"a":' * 150_000),
    ("unfinished texts", '{"' * 500_000),
    ("empty objects", "{}" * 500_000),
    ("numbers", '{"a":[' + "1," * 500_000),
    ("unfinished lists", ('{"a":[' + "1," * 50) * 9_000),
    ("fences", "```" * 330_000),
    ("colons", ":" * 1_000_000),
    ("lines", "Verdict: allow or block\n" * 40_000),
    ("one line", "a" * 1_000_000),
    ("blanks", '{"verdict":' + " " * 1_000_000),
    ("a long reason", json.dumps({"reason": "x" * 1_000_000, "verdict": "nothing"})),
    ("a long list", '{"ranking": [' + '1,"A",{},' * 100_000 + "1]}"),
    ("a long ranking", "Ranking: " + "A > B, " * 140_000),
    ("a deep list", '{"ranking": [' + "[" * 900 + "]" * 900 + "]}"),
    ("a deep answer", '{"verdict": ' + "[" * 900 + "]" * 900 + "}"),
]


@pytest.mark.parametrize("text", [row[1] for row in HUGE], ids=[row[0] for row in HUGE])
def test_a_megabyte_of_nonsense_is_read_in_bounded_time(text: str) -> None:
    began = process_time()
    assert read(VOTE, text).value is None
    assert read(SCORES, text).value is None
    # Far from what it takes (a fraction of it), and far from what anything quadratic would.
    assert process_time() - began < 5


@pytest.mark.parametrize("rung", Rung)
@pytest.mark.parametrize("form", [VOTE, SCORES], ids=lambda form: form.name)
def test_a_model_that_repeats_the_request_has_not_voted(form: Form, rung: Rung) -> None:
    request = asked((Message(role="user", content="Judge."),), form, rung)[-1].content
    assert read(form, request).value is None
