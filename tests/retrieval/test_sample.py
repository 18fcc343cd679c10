"""The sample library: there from the start, gone when removed, and worth several questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanout.retrieval.fusion import fuse
from fanout.retrieval.library import SHIPPED, Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    yield made
    made.close()


def test_the_shipped_documents_are_there_and_marked(library: Library) -> None:
    documents = library.sample()
    assert [document.name for document in documents] == sorted(p.name for p in SHIPPED.glob("*.*"))
    assert {document.kind for document in documents} == {"md", "txt", "csv", "html"}
    assert all(document.sample and not document.note for document in documents)
    assert library.sample() == documents
    own = library.add("own.txt", b"My own words.").document
    assert not own.sample and own not in library.sample()


def test_a_sample_that_was_removed_stays_away(library: Library, tmp_path: Path) -> None:
    gone = library.sample()[0]
    library.remove(gone.id)
    assert gone not in library.sample()
    library.purge(removed_before=9e12)
    assert gone not in library.sample()
    other = Library(tmp_path / "library.db")
    assert gone not in other.sample()
    other.close()


def test_without_shipped_documents_the_library_is_empty(library: Library, tmp_path: Path) -> None:
    assert library.sample(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("question", "other_wordings", "title", "answer"),
    [
        (
            "What happens in my house during a power cut?",
            ["How does the installation behave upon loss of mains?", "lights off houses dark"],
            "technical-note-storage.md",
            "Feeders B to E, on which the dwellings lie, are shed",
        ),
        (
            "Did the battery cost more than planned?",
            ["storage container budget overrun planned spent", "container dearer second cooling"],
            "minutes-march-2025.txt",
            "262,400 crowns instead of 231,000",
        ),
        (
            "Can a renter quit again?",
            ["withdrawal of a member: notice period, redemption of shares", "tenants leave shares"],
            "membership-terms.txt",
            "six weeks' notice in writing",
        ),
    ],
)
def test_other_wordings_find_what_the_question_alone_ranks_low_or_misses(
    library: Library, question: str, other_wordings: list[str], title: str, answer: str
) -> None:
    library.sample()

    def rank(texts: list[tuple[str, str]]) -> int:
        there = [n for n, (name, text) in enumerate(texts, 1) if name == title and answer in text]
        return there[0] if there else 99

    asked = library.search(question)
    rankings = {"question": asked} | {w: library.search(w) for w in other_wordings}
    alone = rank([(hit.passage.title, hit.passage.text) for hit in asked])
    fused = rank([(hit.passage.title, hit.passage.text) for hit in fuse(rankings)])
    assert fused <= 3 < alone or fused < alone
