"""Lists, filters, orders, pages and sums, the same in both databases."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.store.history import COUNTED
from fanout.store.searching import MANY
from fanout.store.store import Store
from fanout.store.values import DayTotal, Facets, Label, Order, Question
from fanout.types import RunStatus
from tests.store.shelf import DAY_S, MIDNIGHT, Made, add_many

SHELF = (
    Made(id="a", topic="zebra", workflow="debate", started_at=MIDNIGHT - 1, usd=None),
    Made(id="b", topic="Apple", workflow="debate", model="large", usd=Decimal("0.5")),
    Made(id="c", topic="apple", usd=Decimal("0.000000001"), tokens=90),
    Made(id="d", topic="mango", status=RunStatus.FAILED, started_at=MIDNIGHT + DAY_S, usd=None),
    Made(id="e", topic="kiwi", model="large", started_at=MIDNIGHT + DAY_S - 0.001, tokens=40),
    Made(id="f", topic="lemon", workflow="guide", started_at=MIDNIGHT + 2 * DAY_S, tokens=20),
)


@pytest.fixture
def shelf(store: Store) -> Store:
    store.write([made.update() for made in SHELF])
    return store


def ids(store: Store, question: Question) -> str:
    return "".join(row.id for row in store.history.find(question).rows)


def test_a_row_says_what_the_run_was(shelf: Store) -> None:
    shelf.history.label("e", Label(name="Green", notes="n", tags=("x", "b"), favourite=True))
    found = shelf.history.find(Question(models=("large",), limit=1))
    (row,) = found.rows
    assert (found.total, found.at_least) == (2, False)
    assert (row.id, row.workflow, row.title, row.topic) == ("e", "trio", "Trio", "kiwi")
    assert (row.status, row.started_at) == (RunStatus.SUCCEEDED, MIDNIGHT + DAY_S - 0.001)
    assert (row.cost_usd, row.models, row.branches) == (Decimal("0.01"), ("large",), 1)
    assert row.label == Label(name="Green", notes="n", tags=("b", "x"), favourite=True)
    assert (row.wall_s > 0, row.imported, row.deleted_at) == (True, False, None)


def test_each_filter_keeps_what_it_names(shelf: Store) -> None:
    shelf.history.label("a", Label(tags=("demo", "old"), favourite=True))
    shelf.history.label("f", Label(tags=("old",)))
    kept = {
        "": Question(),
        "workflow": Question(workflows=("debate",)),
        "workflows": Question(workflows=("debate", "guide")),
        "model": Question(models=("large",)),
        "status": Question(statuses=(RunStatus.FAILED, RunStatus.STOPPED)),
        "tag": Question(tags=("demo",)),
        "either tag": Question(tags=("demo", "old")),
        "favourites": Question(favourites=True),
        "since": Question(since=MIDNIGHT + DAY_S),
        "until": Question(until=MIDNIGHT),
        "a day": Question(since=MIDNIGHT, until=MIDNIGHT + DAY_S),
        "least": Question(least_usd=Decimal("0.01")),
        "most": Question(most_usd=Decimal("0.01")),
        "any known cost": Question(least_usd=Decimal(0)),
        "no money": Question(most_usd=Decimal(0)),
        "two at once": Question(workflows=("debate",), models=("large",)),
        "with a text": Question(workflows=("trio", "guide"), text="word lem"),
        "nothing of that name": Question(models=("sma",)),
        "unwritable names": Question(models=("\x00",), workflows=("\ud800",), tags=("\x00",)),
    }
    found = {name: "".join(sorted(ids(shelf, question))) for name, question in kept.items()}
    assert found == {
        "": "abcdef",
        "workflow": "ab",
        "workflows": "abf",
        "model": "be",
        "status": "d",
        "tag": "a",
        "either tag": "af",
        "favourites": "a",
        "since": "df",
        "until": "a",
        "a day": "bce",
        "least": "bef",
        "most": "cef",
        "any known cost": "bcef",
        "no money": "",
        "two at once": "b",
        "with a text": "f",
        "nothing of that name": "",
        "unwritable names": "",
    }
    totals = {name: shelf.history.find(question).total for name, question in kept.items()}
    assert totals == {name: len(names) for name, names in found.items()}


def test_every_order_runs_both_ways_and_unknown_costs_come_last(shelf: Store) -> None:
    def both(order: Order) -> tuple[str, str]:
        return (
            ids(shelf, Question(order=order, descending=False)),
            ids(shelf, Question(order=order)),
        )

    assert both("started") == ("abcedf", "fdecba")
    assert both("topic") == ("bcefda", "adfecb")
    assert both("cost") == ("cefbad", "bfecda")
    assert both("workflow") == ("abfced", "decfba")
    assert both("wall")[0][-3:] == "fec" and both("wall")[1][:3] == "cef"
    assert sorted(both("saved")[0]) == sorted("abcdef")


def test_a_name_is_sorted_in_the_place_of_the_topic(shelf: Store) -> None:
    shelf.history.label("b", Label(name="Zzz"))
    assert ids(shelf, Question(order="topic", descending=False)) == "cefdab"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.sampled_from(get_args(Order)),
    descending=st.booleans(),
    limit=st.integers(1, 7),
    text=st.sampled_from(["", "wo", "word app"]),
)
def test_leafing_through_gives_every_run_once_and_in_order(
    shelf: Store, order: Order, descending: bool, limit: int, text: str
) -> None:
    whole = Question(order=order, descending=descending, text=text)
    seen = "".join(
        ids(shelf, replace(whole, limit=limit, offset=offset))
        for offset in range(0, len(SHELF) + limit, limit)
    )
    assert seen == ids(shelf, whole)
    assert len(set(seen)) == len(seen) == shelf.history.find(whole).total


def test_a_page_past_the_end_is_empty_and_still_says_how_many_there_are(shelf: Store) -> None:
    for question in (Question(offset=10**30), Question(limit=0), Question(limit=-3, text="word")):
        found = shelf.history.find(question)
        assert (found.rows, found.total) == ((), len(SHELF))
    assert len(shelf.history.find(Question(limit=10**30, offset=-5)).rows) == len(SHELF)


def test_amounts_past_all_measure_raise_nothing(shelf: Store) -> None:
    huge = Decimal(10) ** 40
    assert ids(shelf, Question(least_usd=huge)) == ids(shelf, Question(most_usd=-huge)) == ""
    assert len(ids(shelf, Question(most_usd=huge))) == 4
    assert len(ids(shelf, Question(most_usd=Decimal("Infinity")))) == 4
    assert shelf.history.find(Question(least_usd=Decimal("NaN"))).total >= 0
    assert ids(shelf, Question(since=float("inf"))) == ""


def test_a_word_in_very_many_runs_is_counted_to_a_limit_and_leafed_through_to_the_end(
    shelf: Store, fanout_home: Path, store_url: str
) -> None:
    many = MANY + 100
    add_many(fanout_home, store_url, many)

    def asked(question: Question) -> tuple[int, int, bool]:
        found = shelf.history.find(question)
        return len(found.rows), found.total, found.at_least

    assert asked(Question(text="plenty")) == (50, COUNTED, True)
    assert asked(Question(text="plenty", since=0.0)) == (50, COUNTED, True)
    assert asked(Question(text="plenty", favourites=True)) == (0, 0, False)
    assert asked(Question(text="plenty", until=100.0)) == (50, 100, False)
    assert asked(Question(text="plenty", offset=many - 10)) == (10, COUNTED, True)
    assert asked(Question()) == (50, many + len(SHELF), False)
    seen = [
        row.id
        for offset in range(0, many, 1000)
        for row in shelf.history.find(Question(text="plen", limit=1000, offset=offset)).rows
    ]
    assert seen == [f"many-{number}" for number in reversed(range(many))]
    assert sum(day.runs for day in shelf.history.days(Question(text="plenty"))) == many


def test_facets_count_runs_not_calls(shelf: Store) -> None:
    shelf.history.label("a", Label(tags=("demo", "old")))
    shelf.history.label("b", Label(tags=("old",)))
    assert shelf.history.facets() == Facets(
        workflows=(("trio", 3), ("debate", 2), ("guide", 1)),
        models=(("small", 4), ("large", 2)),
        statuses=(("succeeded", 5), ("failed", 1)),
        tags=(("old", 2), ("demo", 1)),
    )
    shelf.history.delete(["a", "f"])
    assert shelf.history.facets() == Facets(
        workflows=(("trio", 3), ("debate", 1)),
        models=(("large", 2), ("small", 2)),
        statuses=(("succeeded", 3), ("failed", 1)),
        tags=(("old", 1),),
    )


def test_days_sum_up_every_run_by_its_utc_date(shelf: Store) -> None:
    days = shelf.history.days(Question(limit=1))
    assert [(day.day, day.runs, day.cost_usd, day.unknown_cost) for day in days] == [
        ("2024-10-03", 1, Decimal(0), 1),
        ("2024-10-04", 3, Decimal("0.510000001"), 0),
        ("2024-10-05", 1, Decimal(0), 1),
        ("2024-10-06", 1, Decimal("0.01"), 0),
    ]
    rows = shelf.history.find(Question()).rows
    assert sum(day.wall_s for day in days) == pytest.approx(sum(row.wall_s for row in rows))
    assert sum(d.sequential_s for d in days) == pytest.approx(sum(r.sequential_s for r in rows))


def test_days_fit_the_question(shelf: Store) -> None:
    assert [day.day for day in shelf.history.days(Question(models=("large",)))] == ["2024-10-04"]
    shelf.history.delete(["a"])
    debates: tuple[DayTotal, ...] = shelf.history.days(Question(workflows=("debate",), text="wor"))
    assert [(day.day, day.runs) for day in debates] == [("2024-10-04", 1)]
    assert [day.day for day in shelf.history.days(Question(deleted=True))] == ["2024-10-03"]
    assert shelf.history.days(Question(text="unheard")) == ()


def test_an_empty_record_has_nothing_and_says_so(store: Store) -> None:
    assert store.history.find(Question(text="rain")).total == 0
    assert store.history.find(Question()).rows == ()
    assert store.history.facets() == Facets()
    assert store.history.days(Question()) == ()
    assert store.history.tags() == ()


def test_a_run_started_before_all_dates_or_after_them_has_a_day(store: Store) -> None:
    store.write(
        [
            Made(id="early", started_at=-5e13).update(),
            Made(id="eve", started_at=-1.0).update(),
            Made(id="late", started_at=9e15).update(),
        ]
    )
    days = [day.day for day in store.history.days(Question())]
    assert days[1:] == ["1969-12-31", "9999-12-31"]
