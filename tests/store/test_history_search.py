"""What a person types finds what they expect, in any script, the same in both databases."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fanout.store.excerpts import CLOSE, LENGTH, OPEN
from fanout.store.store import Store
from fanout.store.values import Label, Question
from tests.store.samples import events, update

TEXTS = {
    "english": "The quick brown fox doesn't jump over the lazy dog's café.",
    "german": "Die Straße führt über Köln; größer als MÜNCHEN.",
    "chinese": "人工智能正在改变世界,也改变了我们的生活。",
    "japanese": "東京でおいしいラーメンを食べました。",
    "korean": "서울에서 부산까지 기차로 갑니다.",
    "arabic": "قرأتُ الكِتابَ الجديد في المكتبة",
    "hindi": "हिन्दी में खोज करना आसान है।",
    "thai": "ภาษาไทยเขียนโดยไม่เว้นวรรค",
    "russian": "Ещё один день в Москве.",
    "signs": "snake_case, kebab-case; 3.14 (NOT topic:x) \x00\ud800 end",
}


@pytest.fixture
def shelf(store: Store) -> Store:
    """One run in each script, each with its name in its id and its topic."""
    store.write(
        [
            update(events(name, topic=f"about {name}", text=f"{text} ", tokens=1, branches=1))
            for name, text in TEXTS.items()
        ]
    )
    return store


def ids(store: Store, text: str) -> set[str]:
    return {row.id for row in store.history.find(Question(text=text)).rows}


FOUND: dict[str, set[str]] = {
    "FOX": {"english"},
    "fox dog": {"english"},
    "fox unheard": set(),
    "fo": {"english"},
    "fo ": {"english"},
    '"fo"': set(),
    '"brown fox"': {"english"},
    "“brown fox”": {"english"},
    '"fox brown"': set(),
    '"quick bro': {"english"},
    "qu laz": set(),
    "quick laz": {"english"},
    "doesn't": {"english"},
    "doesn’t": {"english"},
    "cafe": {"english"},
    "strasse": {"german"},
    "koln": {"german"},
    "münchen": {"german"},
    "智能": {"chinese"},
    "改变世界": {"chinese"},
    "能智": set(),
    "生活 智能": {"chinese"},
    "智": {"chinese"},
    "ラーメン": {"japanese"},
    "東京": {"japanese"},
    "부산": {"korean"},
    "서울 기차": {"korean"},
    "كتاب": {"arabic"},
    "الكتاب": {"arabic"},
    "الك": {"arabic"},
    "جديد": {"arabic"},
    "खोज": {"hindi"},
    "हिन्दी": {"hindi"},
    "ไทย": {"thai"},
    "еще": {"russian"},
    "snake case": {"signs"},
    "kebab-case": {"signs"},
    "3.14": {"signs"},
    "topic:x": {"signs"},
    "NOT": {"signs"},
    "about hin": {"hindi"},
    "++": set(),
    "🙂": set(),
    "": set(TEXTS),
    ' "" ': set(TEXTS),
}
MARKED: dict[str, list[str]] = {
    "fox": ["fox"],
    "koln munchen": ["Köln", "MÜNCHEN"],
    '"lazy dog"': ["lazy dog"],
    "qui": ["quick"],
    "智能": ["智能"],
    "كتاب": ["الكِتابَ"],
    "हिन्": ["हिन्दी"],
    "doesn't": ["doesn't"],
    "about russian": ["about", "russian"],
}


def test_words_are_found_as_a_person_expects(shelf: Store) -> None:
    assert {typed: ids(shelf, typed) for typed in FOUND} == FOUND


def test_an_excerpt_marks_the_words_as_they_are_written(shelf: Store) -> None:
    def marked(typed: str) -> list[str]:
        excerpt = shelf.history.find(Question(text=typed)).rows[0].excerpt
        return [part.split(CLOSE)[0] for part in excerpt.split(OPEN)[1:]]

    assert {typed: marked(typed) for typed in MARKED} == MARKED


def test_an_excerpt_is_cut_out_around_the_words(store: Store) -> None:
    text = "padding " * 400 + "needle in the hay " + "padding " * 400
    store.write([update(events("long", text=text, tokens=1, branches=1))])
    excerpt = store.history.find(Question(text="needle")).rows[0].excerpt
    assert excerpt.startswith("…padding") and excerpt.endswith("padding…")
    assert f"{OPEN}needle{CLOSE} in the hay" in excerpt
    assert len(excerpt) <= LENGTH + 4


def test_marks_that_a_model_wrote_mark_nothing(store: Store) -> None:
    text = f"{OPEN}<script>{CLOSE} needle "
    store.write([update(events("sly", text=text, tokens=1, branches=1))])
    excerpt = store.history.find(Question(text="needle")).rows[0].excerpt
    assert excerpt == f"<script> {OPEN}needle{CLOSE}"


def test_without_a_text_there_is_no_excerpt(shelf: Store) -> None:
    assert {row.excerpt for row in shelf.history.find(Question()).rows} == {""}


def test_name_and_notes_are_searched_as_soon_as_they_are_written(shelf: Store) -> None:
    shelf.history.label("thai", Label(name="Zeppelin", notes="for the Größenwahn talk"))
    assert ids(shelf, "zeppelin") == {"thai"}
    assert ids(shelf, "grossenwahn") == {"thai"}
    shelf.history.label("thai", Label())
    assert ids(shelf, "zeppelin") == set()
    assert ids(shelf, "ไทย") == {"thai"}


def test_a_label_survives_what_the_run_still_writes(store: Store) -> None:
    told = events("slow")
    store.write([update(told, until=20)])
    store.history.label("slow", Label(name="Zeppelin"))
    store.write([update(told, first=20)])
    assert ids(store, "zeppelin rain") == {"slow"}


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(typed=st.text(max_size=60))
@example(typed='"' * 7)
@example(typed="AND OR NOT NEAR(a b) ^x -y a* {topic}: b")
@example(typed="a & b | !c <-> d:* \\ ' '' (")
@example(typed="\x00\ud800\uffff")
@example(typed="word " * 200)
@example(typed="x" * 5000)
@example(typed="ال")
@example(typed="\u0e31\u093f\u0301")
def test_no_text_makes_a_search_fail(shelf: Store, typed: str) -> None:
    found = shelf.history.find(Question(text=typed))
    assert found.total == len(found.rows) <= len(TEXTS)
    assert sum(day.runs for day in shelf.history.days(Question(text=typed))) == found.total


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_every_piece_of_a_text_finds_it(shelf: Store, data: st.DataObject) -> None:
    """Of scripts with spaces whole words, of the others any piece."""
    name = data.draw(st.sampled_from(sorted(TEXTS)))
    parts = list(TEXTS[name]) if name in ("chinese", "japanese") else TEXTS[name].split()
    start = data.draw(st.integers(0, len(parts) - 1))
    end = data.draw(st.integers(start + 1, len(parts)))
    glue = "" if name in ("chinese", "japanese") else " "
    piece = glue.join(parts[start:end])
    if any(character.isalnum() for character in piece):
        assert name in ids(shelf, piece)
        assert name in ids(shelf, f'"{piece}"')
