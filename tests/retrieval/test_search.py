"""Questions of every kind against the index: words, scripts, syntax, sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.retrieval.library import Library
from fanout.retrieval.query import MOST_TERMS, terms

TEXTS = {
    "english": "The batteries were discharged while the Café René was closed.",
    "chinese": "能源合作社在学校的屋顶上安装了太阳能电池板。",
    "japanese": "停電のとき、iPhoneの充電は学校でできます。",
    "korean": "정전이 되면 학교에서 휴대전화를 충전할 수 있습니다.",
    "thai": "เมื่อไฟฟ้าดับ โรงเรียนจะเปิดเป็นห้องอบอุ่น",
    "russian": "Собственники солнечных крыш получают энергию.",
    "german": "Die Genossenschaft prüft jährlich ihre Zähler.",
    "filler one": "Nothing of the kind stands here.",
    "filler two": "Nor is there anything of it in this one.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library(tmp_path_factory.mktemp("search") / "library.db")
    for name, text in TEXTS.items():
        made.add(f"{name}.txt", text.encode())
    yield made
    made.close()


def first(library: Library, query: str) -> str:
    hits = library.search(query)
    return hits[0].passage.title.removesuffix(".txt") if hits else ""


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("battery discharging", "english"),
        ("cafe rene", "english"),
        ("CAFÉ", "english"),
        ("cafe\u0301", "english"),
        ("Is the café closed?", "english"),
        ("电池", "chinese"),
        ("太阳能屋顶", "chinese"),
        ("屋", "chinese"),
        ("停電", "japanese"),
        ("iphone 充電", "japanese"),
        ("iPhone", "japanese"),
        ("휴대전화", "korean"),
        ("학교", "korean"),
        ("ไฟฟ้าดับ", "thai"),
        ("солнечных", "russian"),
        ("pruft zahler", "german"),
    ],
)
def test_words_are_found_in_any_script_and_case(
    library: Library, query: str, document: str
) -> None:
    assert first(library, query) == document


@pytest.mark.parametrize("query", ["", "   ", "\n\t", "🙂 🎉", "?!…", '"', "\0", "*"])
def test_a_query_without_words_finds_nothing(library: Library, query: str) -> None:
    assert library.search(query) == ()


@pytest.mark.parametrize(
    "query",
    [
        'closed" OR "x',
        "closed AND NOT closed",
        "NEAR(closed cafe, 1)",
        "text: closed",
        "closed*",
        "^closed",
        "{closed} + -",
        "closed'); DROP TABLE passages; --",
        "closed\0cafe",
    ],
)
def test_syntax_in_a_query_is_only_words(library: Library, query: str) -> None:
    assert first(library, query) == "english"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_any_text_can_be_asked(library: Library, query: str) -> None:
    hits = library.search(query)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_query_of_stop_words_alone_still_finds(library: Library) -> None:
    assert first(library, "is there") == "filler two"
    assert first(library, "was it the closed") == "english"


def test_a_very_long_query_is_asked_by_the_words_it_repeats(library: Library) -> None:
    query = " ".join(f"word{n}" for n in range(1200)) + " closed café" * 3
    assert len(query) > 9_000
    assert len(terms(query)) == MOST_TERMS
    assert first(library, query) == "english"


def test_the_limit_is_kept(library: Library) -> None:
    assert len(library.search("of the", limit=1)) == 1
    assert library.search("closed", limit=0) == ()
    assert library.search("closed", limit=-1) == ()


def test_a_word_that_is_everywhere_is_still_searched_where_nothing_rarer_is(tmp_path: Path) -> None:
    made = Library(tmp_path / "library.db")
    for n in range(30):
        made.add(f"{n}.txt", f"The depot number {n}".encode())
    assert len(made.search("depot")) == 10
    assert made.search("depot 17")[0].passage.title == "17.txt"
    assert len(made.search("depot 17")) == 10
    made.close()


def test_equal_passages_come_in_a_fixed_order(tmp_path: Path) -> None:
    made = Library(tmp_path / "library.db")
    for n in range(6):
        made.add(f"{n}.txt", f"depot{' ' * n}.".encode())
    orders = {tuple(h.passage.title for h in made.search("depot")) for _ in range(5)}
    assert orders == {tuple(f"{n}.txt" for n in range(6))}
    made.close()


def test_twenty_thousand_passages_are_searched_and_removed(tmp_path: Path) -> None:
    made = Library(tmp_path / "library.db")
    for part in range(4):
        rows = (f"item{part}x{n} {'filler ' * 80},common\n" for n in range(5000))
        made.add(f"{part}.csv", f"Name,Kind\n{''.join(rows)}".encode())
    assert sum(document.passages for document in made.documents()) == 20_000
    (hit,) = made.search("item2x1234")
    assert (hit.passage.title, hit.passage.place) == ("2.csv", "row 1236")
    assert made.search("item2x1234 common filler")[0].passage == hit.passage
    assert len(made.search("common filler")) == 10
    assert made.remove(hit.passage.document)
    assert made.search("item2x1234") == ()
    made.close()
