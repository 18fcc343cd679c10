"""No text holds up the process: what reads a text takes time in proportion to its length.

An expression holds the interpreter while it looks, so a text that is slow to read would stop every
run and page of everybody; a model that repeats itself, or a topic, is enough. Processor time is
measured, with room for a busy machine: what is guarded against took from 5 s to hours.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from fanout.insight.clauses import clauses
from fanout.insight.plain_text import plain
from fanout.insight.sentences import sentences
from fanout.insight.titled_parts import titled_parts
from fanout.retrieval.markdown import markdown_parts
from fanout.voting.final_answer import final_answer
from fanout.workflows.combining.citing import with_citations
from fanout.workflows.judges import texts_in
from fanout.workflows.quoting import quoted

LONG = 40_000
MOST_S = 1.5
SEEDS = (" ", "\t", "\n", "#", "# #", "-", "- ", "*", "** ", "_", "`", "|", "| ", ">", "[", "[1,")
READERS: dict[str, Callable[[str], object]] = {
    "plain": plain,
    "sentences": sentences,
    "clauses": clauses,
    "titled_parts": lambda text: titled_parts(text, ["Joke", "Poem"]),
    "texts_in": texts_in,
    "final_answer": final_answer,
    "markdown_parts": markdown_parts,
    "with_citations": lambda text: with_citations(text, ()),
    "quoted": lambda text: quoted(text, "marker"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("seed", SEEDS, ids=ascii)
def test_no_text_takes_long_to_read(reader: str, seed: str) -> None:
    body = seed * (LONG // len(seed))
    for text in (body, f"{body}x", f"# {body}x", f"a{body}b", f"**{body}x", f"|{body}x"):
        began = time.process_time()
        READERS[reader](text)
        assert time.process_time() - began < MOST_S, f"{text[:4]!r}…{text[-2:]!r}"


def test_a_heading_is_found_whatever_stands_around_it() -> None:
    for heading in ("Joke", "## Joke", "  ##Joke ##", "**Joke**", "__Joke:__", "### **Joke** #",
                    "Joke:", "** Joke **", "* Joke", "**Joke:**"):  # fmt: skip
        found = titled_parts(f"{heading}\nWhy did it?", ["Joke"])
        assert found == ({"Joke": "Why did it?"} if heading != "* Joke" else {}), heading
    assert titled_parts("**Joke:**  Why did it?", ["Joke"]) == {"Joke": "Why did it?"}
    assert titled_parts("**Joke**: Why did it?", ["Joke"]) == {"Joke": "Why did it?"}
    assert titled_parts(f"a{' ' * 900}b", ["Joke"]) == {}


def test_texts_are_parted_as_before() -> None:
    assert texts_in("one\n\n  ---  \n\ntwo\n-----\r\nthree -- four\n--\n") == (
        "one", "two", "three -- four\n--",
    )  # fmt: skip
