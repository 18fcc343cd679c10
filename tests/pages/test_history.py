"""The History page as a script: what an address asks for is found, labelled, deleted, restored."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from components import session
from components.history.asked import NAMES, SORTS, Asked, asked
from components.history.chosen_bar import zipped
from components.history.totals import periods, spent
from components.history.words import long_text, marked
from fanout.store.store import Store
from fanout.store.values import DayTotal, Label, Question
from fanout.types import RunStatus
from tests.pages.history_steps import (
    SHELL,
    START,
    drawn,
    history_store,
    ids,
    keep,
    opened,
    pressed,
    rows,
    said,
    ticked,
)

HOSTILE = "<script>alert(1)</script> ![x](http://evil.example/x.png) **b** :red[r]"


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app's own engine and store, in this test's FANOUT_HOME; nothing is asked."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    yield
    session.close_runtime()


@pytest.fixture
def store() -> Store:
    return history_store()


def test_without_runs_it_says_so_and_leads_to_the_first(store: Store) -> None:
    app = opened()
    assert "No runs yet." in said(app)
    assert not app.text_input, "there is nothing to search"
    assert app.get("page_link")


def test_runs_are_listed_newest_first_with_what_they_took_and_cost(store: Store) -> None:
    keep(store, "old", topic="tea", started_at=START)
    keep(store, "new", topic="rain", started_at=START + 60, status=RunStatus.PARTIAL)
    app = opened()
    assert ids(app) == ["new", "old"]
    partial, whole = rows(app)
    assert whole["word"] == "Finished" and partial["word"] == "Finished in part"
    assert partial["branches"] == "3 branches, 1 failed"
    assert whole["cost"] == "$0.00037" and whole["instead"].startswith("instead of ")
    assert "2 runs" in said(app) and "saved" in said(app) and "spent" in said(app)


def test_what_a_person_or_a_model_wrote_is_given_as_it_is_and_never_as_markdown(
    store: Store,
) -> None:
    keep(store, "bad", topic=HOSTILE, label=Label(tags=("<b>t</b>",), notes=HOSTILE))
    app = opened()
    (row,) = rows(app)
    assert row["name"] == HOSTILE and row["tags"] == ["<b>t</b>"] and row["notes"] == HOSTILE
    assert not any("evil.example" in m.value or "<script" in m.value for m in app.markdown)
    app = opened(tag=HOSTILE, workflow=HOSTILE, q=HOSTILE)
    shown = [expander.label for expander in app.expander]
    assert any("script" in text for text in shown)
    assert not any(re.search(r"(?<!\\)[<\[*:]", text.replace("Filters:", "")) for text in shown)


def test_words_are_found_in_texts_and_marked_in_the_excerpt(store: Store) -> None:
    keep(store, "a", text="A lighthouse keeper waits. ")
    keep(store, "b", text="Nothing of the kind. ")
    app = opened(q="lighthouse keep")
    (row,) = rows(app)
    assert row["id"] == "a"
    assert ["lighthouse", True] in row["excerpt"]
    assert app.text_input(key="history_q").value == "lighthouse keep"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"workflow": "trio"}, {"a", "b"}),
        ({"workflow": ["trio", "panel"]}, {"a", "b", "c"}),
        ({"model": "large"}, {"b"}),
        ({"state": "failed"}, {"c"}),
        ({"tag": "demo"}, {"a"}),
        ({"fav": "1"}, {"a"}),
        ({"first": "2026-09-22"}, {"b", "c"}),
        ({"to": "2026-09-21"}, {"a"}),
        ({"least": "0.01"}, set()),
        ({"most": "0.01"}, {"a", "b", "c"}),
        ({"workflow": "gone"}, set()),
        ({"q": "rain", "state": "failed"}, {"c"}),
    ],
)
def test_an_address_narrows_the_list(
    store: Store, address: dict[str, str | list[str]], found: set[str]
) -> None:
    keep(store, "a", label=Label(tags=("demo",), favourite=True))
    keep(store, "b", model="large", started_at=START + 86_400)
    keep(store, "c", workflow="panel", status=RunStatus.FAILED, started_at=START + 2 * 86_400)
    assert set(ids(opened(**address))) == found


def test_every_filter_that_is_set_stands_in_the_address_and_a_click_clears_them(
    store: Store,
) -> None:
    keep(store, "a", label=Label(tags=("demo",)))
    keep(store, "b")
    app = opened(page="2")
    app.multiselect(key="history_tag").set_value(["demo"])
    app = drawn(app.run())
    app.text_input(key="history_q").set_value("rain")
    app = drawn(app.run())
    app.selectbox(key="history_sort").set_value("cost")
    app = drawn(app.run())
    assert app.query_params == {"q": "rain", "tag": "demo", "sort": "cost"}
    assert ids(app) == ["a"]
    app.text_input(key="history_q").set_value("nowhere")
    app = drawn(app.run())
    assert ids(app) == [] and "No run fits" in said(app)
    app = pressed(app, "history_clear_empty")
    assert set(ids(app)) == {"a", "b"}
    assert app.query_params == {"sort": "cost"}
    assert app.text_input(key="history_q").value == ""


@given(
    st.dictionaries(
        st.sampled_from([*sorted(NAMES), "x"]),
        st.lists(
            st.one_of(
                st.text(max_size=12),
                st.sampled_from(
                    ["failed", "nan", "1e999", "-1", "9999-12-31", "0001-01-01", "٣", "1" * 30]
                ),
            ),
            min_size=1,
            max_size=3,
        ),
    )
)
def test_no_address_raises_and_what_was_understood_is_written_again(
    address: dict[str, list[str]],
) -> None:
    now = asked(address)
    for zone in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Sao_Paulo")):
        now.question(zone)
    assert asked(now.address()) == (now if now.text.strip() else asked({**now.address()}))


def test_an_address_full_of_nonsense_still_shows_the_list(store: Store) -> None:
    keep(store, "a")
    app = opened(
        state="sleeping", first="tomorrow", to="9999-99-99", least="cheap", sort="?", page="-3"
    )
    assert ids(app) == ["a"]
    assert ids(opened(page="4000000")) == ["a"], "beyond the end is the last page"


def test_days_begin_where_the_person_is() -> None:
    now = asked({"from": ["2026-03-29"], "to": ["2026-03-29"]})
    question = now.question(ZoneInfo("Europe/Berlin"))
    assert question.since == datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()
    assert question.until is not None and question.since is not None
    assert question.until - question.since == 23 * 3600, "the day the clocks go forward"


def test_every_order_is_one_that_the_store_knows(store: Store) -> None:
    keep(store, "a")
    for sort in SORTS:
        assert store.history.find(Asked(sort=sort).question(UTC)).total == 1


def test_pages_are_turned_and_a_filter_leads_back_to_the_first(store: Store) -> None:
    for number in range(28):
        keep(store, f"run-{number:02}", started_at=START + number)
    app = opened()
    assert len(ids(app)) == 25
    assert "1 to 25 of 28" in said(app)
    app = opened(page="2")
    assert ids(app) == ["run-02", "run-01", "run-00"]
    app.text_input(key="history_q").set_value("rain")
    app = drawn(app.run())
    assert "page" not in app.query_params and len(ids(app)) == 25


def test_selected_runs_are_deleted_at_once_brought_back_and_removed_for_good(store: Store) -> None:
    for name in ("a", "b", "c"):
        keep(store, name)
    app = ticked(opened(), "a", "b")
    assert "2 runs selected" in said(app)
    app = pressed(app, "history_delete_chosen")
    assert ids(app) == ["c"] and "2 runs are deleted." in said(app)
    assert "selected" not in said(app)
    app = pressed(app, "history_undo_delete")
    assert set(ids(app)) == {"a", "b", "c"} and "deleted." not in said(app)
    app = pressed(ticked(app, "a"), "history_delete_chosen")
    app.toggle(key="history_deleted_only").set_value(True)
    app = drawn(app.run())
    assert ids(app) == ["a"]
    app = pressed(app, "history_purge_now")
    assert "Nothing is deleted." in said(app)
    assert store.load("a") is None
    assert store.history.find(Question()).total == 2


def test_two_to_four_runs_are_compared(store: Store) -> None:
    for name in "abcde":
        keep(store, name)
    app = opened()
    assert ticked(app, "a").button(key="history_compare").disabled
    assert ticked(app, *"abcde").button(key="history_compare").disabled
    app = ticked(app, "a", "c")
    app = drawn(app.button(key="history_compare").click().run())
    assert app.query_params["runs"] == "a,c"


def test_the_zip_holds_the_runs_that_are_still_there(store: Store) -> None:
    keep(store, "a")
    with zipped(session.runtime(), ["a", "gone"]) as file:
        names = zipfile.ZipFile(BytesIO(file.read())).namelist()
    assert sum(name.endswith(".json") for name in names) == 1


def test_a_store_in_memory_and_its_problems_are_told(store: Store) -> None:
    store.kept = False
    store.problems = ("The database was damaged and is set aside as x.db.",)
    app = opened()
    assert "in memory only" in said(app) and "set aside as x.db" in said(app)


def test_marks_split_the_excerpt_whatever_stands_in_it() -> None:
    assert marked("a ␂b␃ c") == [("a ", False), ("b", True), (" c", False)]
    assert marked("␂b") == [("b", False)]
    assert marked("a␃<i>") == [("a<i>", False)]
    assert marked("") == []


def test_sums_fall_into_days_weeks_or_months_and_say_what_is_unknown() -> None:
    def day(name: str, usd: str = "0.5", unknown: int = 0) -> DayTotal:
        return DayTotal(
            day=name,
            runs=2,
            wall_s=10,
            sequential_s=25,
            cost_usd=Decimal(usd),
            unknown_cost=unknown,
        )

    few, unit = periods([day("2026-09-22"), day("2026-09-21")])
    assert unit == "day" and [one.name for one in few] == ["2026-09-21", "2026-09-22"]
    weeks, unit = periods([day("2026-07-01"), day("2026-09-21"), day("2026-09-27")])
    assert unit == "week" and [one.runs for one in weeks] == [2, 4]
    months, unit = periods([day("2024-01-31"), day("2026-09-21", unknown=2)])
    assert unit == "month" and months[0].saved_s == 15
    assert spent(months[0]) == "$0.50 spent"
    assert spent(months[1]) == "cost unknown"
    assert spent(periods([day("2026-09-21", "0.5", 1)])[0][0]) == (
        "$0.50 spent, and 1 run whose cost is unknown"
    )
    assert periods([]) == ([], "day")
    assert [long_text(s) for s in (12.34, 130, 3_661, 200_000)] == [
        "12.3 s",
        "2 min 10 s",
        "1 h 1 min",
        "2 days 7 h",
    ]


def test_time_and_money_are_drawn_with_tables_beside_them(store: Store) -> None:
    keep(store, "a")
    app = opened()
    assert not app.get("plotly_chart"), "nothing is drawn until it is asked for"
    app.session_state["history_over_time"] = True
    app = drawn(app.run())
    assert len(app.get("plotly_chart")) == 2 and len(app.dataframe) == 2


def test_on_the_run_page_a_run_gets_a_star_a_title_and_tags(store: Store) -> None:
    keep(store, "a")
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.query_params["run"] = "a"
    app = pressed(drawn(app.run()), "run_star")
    assert store.history.label_of("a").favourite
    app.session_state["run_label"] = True
    app = drawn(app.run())
    app.text_input(key="run_name").set_value("  My   title ")
    app.multiselect(key="run_tags").set_value(["new", "x" * 61])
    app = pressed(app, "run_save")
    assert "Not saved." in said(app) and store.history.label_of("a").name == ""
    app.multiselect(key="run_tags").set_value(["new"])
    app = pressed(app, "run_save")
    assert store.history.label_of("a") == Label(name="My title", tags=("new",), favourite=True)
