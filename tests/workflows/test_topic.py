"""Topics: what is cleaned away, what stays, and what is refused in words."""

from __future__ import annotations

import pytest

from fanout.errors import InputError
from fanout.workflows.topic import MAX_TOPIC_CHARS, clean_topic


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\t ", "\x00\x01", "\u202e", "\ud800", "\u200b\u200d"]
)
def test_a_topic_with_nothing_in_it_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Type what the branches should write about"):
        clean_topic(text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  remote work ", "remote work"),
        ("a\x00b\x07c", "abc"),
        ("line\r\nline\ttab", "line\nline\ttab"),
        ("half \ud83d emoji", "half  emoji"),
        ("👩‍🚀 ok", "👩‍🚀 ok"),
        ("עבודה מרחוק", "עבודה מרחוק"),
        ("abc\u202edef", "abcdef"),
        ("# Title\n<script>x</script>", "# Title\n<script>x</script>"),
        ("{topic} {results}", "{topic} {results}"),
    ],
)
def test_a_topic_keeps_its_words_and_loses_its_control_characters(typed: str, kept: str) -> None:
    assert clean_topic(typed) == kept


def test_the_longest_topic_fits_and_one_more_character_is_said_to_be_too_many() -> None:
    assert len(clean_topic("x" * MAX_TOPIC_CHARS)) == MAX_TOPIC_CHARS
    with pytest.raises(InputError, match="200,001 characters"):
        clean_topic("x" * (MAX_TOPIC_CHARS + 1))
