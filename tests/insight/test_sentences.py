"""Sentences: where they end, what a reader sees of them, and where that stood in the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.insight.clauses import clauses
from fanout.insight.plain_text import plain
from fanout.insight.sentences import sentences
from fanout.insight.terms import names, negated, numbers, terms

LONG = "This line is long enough that nobody broke it on purpose to make verse of it"


def texts(markdown: str) -> list[str]:
    return [sentence.text for sentence in sentences(markdown)]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("It fell by 3.5 % in May. Then it rose!", ["It fell by 3.5 % in May.", "Then it rose!"]),
        ("Ask Dr. J. Smith, e.g. now. He is in.", ["Ask Dr. J. Smith, e.g. now.", "He is in."]),
        ("Bring fruit, bread, etc. Then leave.", ["Bring fruit, bread, etc.", "Then leave."]),
        ("Come at 5 p.m. Bring cake.", ["Come at 5 p.m.", "Bring cake."]),
        ("The U.S. Army moved.", ["The U.S. Army moved."]),
        ("So do I. They don't.", ["So do I.", "They don't."]),
        ('She said "Stop." He went on.', ['She said "Stop."', "He went on."]),
        ('"Stop!" he cried. (She did.) Yes.', ['"Stop!" he cried.', "(She did.)", "Yes."]),
        ("Well… maybe. Wait... what? Yes.", ["Well… maybe.", "Wait... what?", "Yes."]),
        ("今天很好。去公园\uff01「走。」他说", ["今天很好。", "去公园\uff01", "「走。」", "他说"]),
        ("## The *plan* ##\n\nGo.", ["The plan", "Go."]),
        ("**Costs:**\n\n- one\n- [x] two `a_b`\n3) three", ["Costs:", "one", "two a_b", "three"]),
        ("> As *he* said. So be it.", ["As he said.", "So be it."]),
        ("| A | B |\n|---|:-:|\n| Yes. Really | `x` |", ["A", "B", "Yes. Really", "x"]),
        ("Run:\n```sh\nls -l. Now\npwd\n```\nDone.", ["Run:", "ls -l. Now\npwd", "Done."]),
        ("See [the *plan*](http://x.y/a_(b)) and ![a map](m.png).", ["See the plan and a map."]),
        ("snake_case, 2*3 and 4 * 5 \\*stay\\* R&amp;D", ["snake_case, 2*3 and 4 * 5 *stay* R&D"]),
        ("这是**重点**内容。", ["这是重点内容。"]),
        ("Roses are red\nViolets are blue", ["Roses are red", "Violets are blue"]),
        (f"{LONG},\nbut here it goes on.", [f"{LONG}, but here it goes on."]),
        (f"{LONG}  \nA hard break ends it", [LONG, "A hard break ends it"]),
        ("Title\n=====\n\n---\n\n* * *\n", ["Title"]),
        ("<b>Bold</b> <https://a.b/c> 3 < 4", ["Bold https://a.b/c 3 < 4"]),
        ("```\nnever closed", ["never closed"]),
        ("… — !\n\n\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_falls_into_these_sentences(markdown: str, expected: list[str]) -> None:
    assert texts(markdown) == expected


def test_headings_cells_and_code_are_told_from_prose() -> None:
    found = sentences("# H\n\nText.\n\n| a |\n|---|\n| b |\n\n```\nc\n```")
    assert [(s.text, s.kind) for s in found] == [
        ("H", "heading"),
        ("Text.", "prose"),
        ("a", "heading"),
        ("b", "cell"),
        ("c", "code"),
    ]


def test_offsets_point_at_what_is_seen() -> None:
    source = "- **Cost.** It _falls_ by [5 %](http://a.b) &amp; more."
    cost, falls = sentences(source)
    assert source[cost.start : cost.end] == "Cost."
    assert source[falls.start : falls.end] == "It _falls_ by [5 %](http://a.b) &amp; more."


PIECES = [*"aB1. !?\n*_`~#>|-[]()<\\&;…。 ", "word ", "\n\n", "- ", "```\n", "| ", "](", "<b>"]
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(MARKDOWN | st.text(max_size=60))
def test_sentences_are_in_order_apart_and_inside_the_source(source: str) -> None:
    before = 0
    for sentence in sentences(source):
        assert before <= sentence.start < sentence.end <= len(source)
        assert sentence.text == sentence.text.strip()
        before = sentence.end


@given(MARKDOWN)
def test_no_word_is_lost_or_made_up(source: str) -> None:
    seen = [c for c in plain(source) if c.isalnum()]
    assert [c for text in texts(source) for c in text if c.isalnum()] == seen


@given(st.lists(st.sampled_from(["Birds sing.", "Is it late?", "Go on!", "I am."]), max_size=6))
def test_plain_sentences_come_back_as_they_were(written: list[str]) -> None:
    assert texts(" ".join(written)) == written


@pytest.mark.parametrize("mark", ["[", "`", "](", "*", "<a ", "&", "|", "_", "> ", "(", "\\"])
def test_a_text_of_marks_takes_no_longer_than_its_length(mark: str) -> None:
    # 200,000 marks: anything quadratic would run into the limit of the whole suite.
    sentences(mark * 200_000 + "x")


def test_terms_are_stems_numbers_and_pairs_of_characters() -> None:
    assert terms("The cities' savings rose by 1,200.50 %") == {
        *terms("city save rose percent"),
        "#1200.5",
    }
    assert terms("two dogs [1, 2]") == {"#2", "dog"}
    assert terms("天气好") == {"天气", "气好"}
    assert terms("It is of the") == frozenset()
    assert names("Yesterday Anna met bob") == {"anna"}
    assert numbers("two of 3 [4]") == {"3"}
    assert negated("It isn’t so")
    assert not negated("It is noted")


def test_clauses_have_content_of_their_own() -> None:
    assert clauses("Rents fall by 5 %, and the council plans two parks.") == (
        "Rents fall by 5 %",
        "and the council plans two parks.",
    )
    assert clauses("Rents fall, luckily.") == ()
    assert clauses("") == ()
