"""Half-written JSON: each cut shows what is there so far, and nothing raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.structured.partial import partial

WHOLE = {"reason": "Größe \u2014 \U0001f99c", "scores": {"clarity": 4}, "ranking": ["A", "B"]}


@pytest.mark.parametrize("head", ["", "Sure:\n", "```json\n"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_cut_of_an_answer_shows_its_fields_so_far(head: str, ascii_only: bool) -> None:
    text = json.dumps(WHOLE, ensure_ascii=ascii_only)
    seen = 0
    for end in range(1, len(text) + 1):
        fields = partial(head + text[:end])
        if fields is None:
            # An escape or a character that is cut in the middle.
            continue
        seen += 1
        assert list(fields) == list(WHOLE)[: len(fields)]
        reason = fields.get("reason", "")
        assert isinstance(reason, str)
        assert WHOLE["reason"].startswith(reason)  # type: ignore[attr-defined]
    assert seen > len(text) * 0.8
    assert partial(head + text + "\n```") == WHOLE


@pytest.mark.parametrize("text", ["", "No object.", "[1, 2", "{oh", "[" * 1000, '{"a":' * 1000])
def test_where_no_object_has_begun_there_is_none(text: str) -> None:
    assert partial(text) is None


@given(st.text() | st.text(alphabet='{}[]":,\\u0 \ud800'))
def test_any_text_may_be_half_written(text: str) -> None:
    fields = partial(text)
    assert fields is None or isinstance(fields, dict)
