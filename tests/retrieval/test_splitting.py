"""Passages: exact offsets, bearable sizes, nothing lost, places that a person can find."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fanout.retrieval.extracted import Extracted, Part, assemble
from fanout.retrieval.markdown import markdown_parts
from fanout.retrieval.splitting import MOST_WORDS, Span, split, word_count
from fanout.retrieval.table import csv_parts

SENTENCE = "The depot keeps spare fuses for every cabinet in the parish. "


def extracted(*parts: Part) -> Extracted:
    return assemble(parts, "txt", pages=None, note="")


def texts(found: Extracted) -> list[str]:
    return [found.text[span.start : span.end] for span in split(found)]


def places(found: Extracted) -> list[str]:
    return [span.place for span in split(found)]


written = st.text(alphabet=st.sampled_from("ab cd. \n\t!?学校ñ🙂"), max_size=400)
parts = st.lists(
    st.builds(
        Part,
        text=st.one_of(written, st.integers(0, 90).map(lambda n: SENTENCE * n)),
        unit=st.sampled_from(["page", "row", "section", ""]),
        name=st.sampled_from(["1", "2", "Storage", ""]),
    ),
    max_size=6,
)


@given(parts)
def test_no_letter_is_lost_and_no_passage_is_too_long(made: list[Part]) -> None:
    found = extracted(*made)
    spans = split(found)
    covered: set[int] = set()
    for span in spans:
        text = found.text[span.start : span.end]
        assert text == text.strip() and text
        assert word_count(text) <= MOST_WORDS
        covered.update(range(span.start, span.end))
    lost = [c for i, c in enumerate(found.text) if i not in covered and not c.isspace()]
    assert lost == []
    assert [s.start for s in spans] == sorted({s.start for s in spans})
    assert all(before.end < after.end for before, after in pairwise(spans))


def test_a_passage_goes_on_with_the_last_sentence_of_the_one_before() -> None:
    text = " ".join(f"Sentence number {n} is about the turbine on the hill." for n in range(60))
    first, second, *_ = split(extracted(Part(text=text)))
    assert second.start < first.end
    assert text[second.start :].startswith("Sentence number")
    assert first.end - second.start < 250


def test_a_page_is_never_shared() -> None:
    pages = [Part(text=f"Page {n}.", unit="page", name=str(n)) for n in (1, 2, 3)]
    assert places(extracted(*pages)) == ["page 1", "page 2", "page 3"]


def test_a_heading_without_text_shares_the_passage_of_the_next_one() -> None:
    found = assemble(
        markdown_parts("# Handbook\n\n## Storage\n\n" + SENTENCE * 5 + "\n## Keys\n\nAsk Ilse."),
        "md",
        pages=None,
        note="",
    )
    assert texts(found)[0].startswith("# Handbook\n\n## Storage\n\nThe depot")
    assert places(found) == ["section: Handbook", "section: Keys"]


def test_every_passage_of_a_long_section_carries_its_heading() -> None:
    found = assemble(markdown_parts("# Storage\n\n" + SENTENCE * 40), "md", pages=None, note="")
    spans = split(found)
    assert len(spans) > 2
    assert {(s.place, s.heading) for s in spans} == {("section: Storage", "Storage")}


def test_rows_share_a_passage_and_name_themselves_in_each() -> None:
    rows = "".join(f"fuse {n},{n * 10}\n" for n in range(1, 61))
    found = assemble(csv_parts("f.csv", "Item,Cost\n" + rows), "csv", pages=None, note="")
    assert texts(found)[1].startswith("Item: fuse ")
    assert places(found)[0].startswith("rows 2-")
    assert places(found)[-1].endswith("-61")


def test_text_without_spaces_is_split_too() -> None:
    for text in ("学校の図書館" * 400, "x" * 20_000):
        spans: tuple[Span, ...] = split(extracted(Part(text=text)))
        assert len(spans) > 2


def test_two_characters_of_a_script_without_spaces_count_as_a_word() -> None:
    assert word_count("学校図書館 opens at nine") == 3 + 3
