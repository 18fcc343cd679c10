"""An answer with headings, taken apart by the titles that it was given."""

from __future__ import annotations

import pytest

from fanout.insight.titled_parts import titled_parts


@pytest.mark.parametrize(
    "heading",
    [
        "## Joke",
        "Joke",
        "# joke #",
        "**Joke**",
        "**Joke:**",
        "Joke:",
        "### **Joke**",
        "  ##  JOKE ",
    ],
)
def test_a_heading_is_known_however_it_is_written(heading: str) -> None:
    text = (
        f"{heading}\n\nWhy?\nBecause.\n\n{heading.replace('oke', 'est').replace('OKE', 'EST')}\nHa"
    )
    assert titled_parts(text, ["Joke", "Jest"]) == {"Joke": "Why?\nBecause.", "Jest": "Ha"}


def test_a_heading_may_share_its_line_with_the_text() -> None:
    text = "**Joke:** Why did it?\n__Poem__: Roses are red"
    assert titled_parts(text, ["Joke", "Poem"]) == {
        "Joke": "Why did it?",
        "Poem": "Roses are red",
    }


def test_a_title_inside_a_sentence_begins_nothing() -> None:
    text = "## Pros\nThe pros are many.\nPros: none that I know."
    assert titled_parts(text, ["Pros"]) == {"Pros": "The pros are many.\nPros: none that I know."}


def test_what_stands_before_the_first_heading_belongs_to_none() -> None:
    assert titled_parts("Sure!\n## Joke\nHa", ["Joke"]) == {"Joke": "Ha"}


def test_a_title_that_is_missing_or_has_no_text_is_left_out() -> None:
    assert titled_parts("## Joke\n\n## Poem\nRoses", ["Joke", "Story", "Poem"]) == {"Poem": "Roses"}
    assert titled_parts("No headings at all", ["Joke"]) == {}
    assert titled_parts("", []) == {}
