"""Citations made to hold: bad ones go, missing ones come, and all else stays as it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.retrieval.passages import Fused, Passage
from fanout.workflows.combining.citing import with_citations

WIND = (
    "The wind project was delayed because the turbine blades arrived four months late in Hamburg."
)
FEES = "Every member of the cooperative pays an annual fee of sixty euros by the end of January."
BIRDS = "A survey of breeding storks and red kites took place along the northern ridge in spring."


def passages(*texts: str) -> tuple[Fused, ...]:
    return tuple(
        Fused(
            passage=Passage(
                id=f"d-{n}", document="d", title="Report", text=text, ordinal=n, start=0, end=0,
                place="",
            ),
            rank=n,
            score=1 / n,
            found_by={"as-asked": n},
        )
        for n, text in enumerate(texts, 1)
    )  # fmt: skip


THREE = passages(WIND, FEES, BIRDS)
BLADES = "The turbine blades arrived four months late in Hamburg"
PAYS = "Every member pays an annual fee of sixty euros"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"{BLADES}.", f"{BLADES} [1]."),
        (f"{BLADES}", f"{BLADES} [1]"),
        (f"{BLADES}!", f"{BLADES} [1]!"),
        (f"{BLADES} [1].", f"{BLADES} [1]."),
        (f"{BLADES}. [1]", f"{BLADES}. [1]"),
        (f"{BLADES} [2].", f"{BLADES} [2]."),
        (f"{BLADES} [1, 2].", f"{BLADES} [1][2]."),
        (f"{BLADES} [1,9].", f"{BLADES} [1]."),
        (f"{BLADES} [9].", f"{BLADES} [1]."),
        ("Nobody knows about the moon [9].", "Nobody knows about the moon."),
        ("Nobody knows about the moon [0].", "Nobody knows about the moon."),
        ("Nobody knows about the moon.", "Nobody knows about the moon."),
        (f"{BLADES}. {PAYS}.", f"{BLADES} [1]. {PAYS} [2]."),
        (f"- {BLADES}.\n- {PAYS}.", f"- {BLADES} [1].\n- {PAYS} [2]."),
        (f"- {BLADES}\n- {PAYS}", f"- {BLADES} [1]\n- {PAYS} [2]"),
        (f"1. {BLADES}.\n2. {PAYS} [2].", f"1. {BLADES} [1].\n2. {PAYS} [2]."),
        ("", ""),
        (
            "See [the report](https://example.org) [1].",
            "See [the report](https://example.org) [1].",
        ),
        ("Take `a[9]` of the list.", "Take `a[9]` of the list."),
        (f"{BLADES}, see `a[2]`.", f"{BLADES}, see `a[2]` [1]."),
        ("```\nx = a[9]\n```", "```\nx = a[9]\n```"),
    ],
)
def test_each_citation_points_at_a_passage_and_each_borne_claim_has_one(
    answer: str, expected: str
) -> None:
    assert with_citations(answer, THREE, "Why was it late?") == expected


def test_without_passages_no_citation_is_left() -> None:
    assert with_citations(f"{BLADES} [1].", ()) == f"{BLADES}."


def test_what_the_question_said_is_no_claim_of_the_answer() -> None:
    question = f"Is it true that {BLADES.lower()}?"
    assert with_citations("I can't say.", THREE, question) == "I can't say."


_CITES = re.compile(r"\[(\d+)\]")
PIECES = st.sampled_from(
    (
        BLADES,
        PAYS,
        "Nobody knows.",
        "[1]",
        " [2]",
        "[9]",
        " [1, 2]",
        "[3, 8]",
        ".",
        "\n- ",
        " ",
        "\n\n",
    )
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_every_citation_that_is_left_points_at_a_passage(answer: str) -> None:
    cited = with_citations(answer, THREE)
    assert all(1 <= int(n) <= 3 for n in _CITES.findall(cited))
    assert bare(cited) == bare(answer), "nothing but citations and blanks changes"


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_citing_twice_changes_nothing_more(answer: str) -> None:
    once = with_citations(answer, THREE)
    assert with_citations(once, THREE) == once


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_cited(answer: str) -> None:
    with_citations(answer, THREE)


def bare(text: str) -> str:
    return "".join(re.sub(r"\[\d+(?:\s*,\s*\d+)*\]", "", text).split())
