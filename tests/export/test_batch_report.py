"""The report of a batch: everything is told, nothing loads, and no text gets out of its place."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from markdown_it import MarkdownIt

from fanout.batches import HELD, Batch, BatchState, RowRecord, RowState, WorkerSeen
from fanout.endpoint import BUNDLED
from fanout.export.batch.formats import write
from fanout.export.batch.summary import SHOWN, summary
from fanout.export.batch.words import headline, held_against, money_words, time_text
from fanout.policies import Budget
from fanout.types import ModelRef
from tests.export.batches import NASTY, batch, done, failed, row, some, waiting
from tests.export.html_reading import Report, read_report

EVIL = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](http://far.example/x.png)",
    "[click](javascript:alert(1))", "</table></main><h1>Mine</h1>", "```\n# open", "| a | b |\n|-|",
    "<style>*{display:none}</style>", "\u202eevil", "&lt;b&gt;", "<!-- never ends",
)  # fmt: skip


def text_of(of: Batch, rows: list[RowRecord], format: str = "html") -> str:
    out = io.BytesIO()
    write(of, rows, format, out)
    return out.getvalue().decode("utf-8")


def report(of: Batch, rows: list[RowRecord]) -> Report:
    return read_report(text_of(of, rows))


def skipped(number: int) -> RowRecord:
    left_out = replace(row(number), skipped="the same as row 3")
    return RowRecord(row=left_out, state=RowState.SKIPPED)


def test_a_report_tells_what_was_asked_and_what_came_of_it() -> None:
    estimate = {"low_usd": "0.01", "high_usd": "0.04", "low_s": 5.0, "high_s": 60.0,
                "basis": "the 3 rows of the trial"}  # fmt: skip
    page = report(batch("topic", "lang", estimate=estimate), [*some(), skipped(41)])
    for told in (
        "Reviews of November", "36 of 40 rows answered", "gpt-test at paid", "Moderation",
        "column “topic”", "lang", "w1 (36 rows)", "the cost of 3 rows is unknown",
        "1 left out before the start", "“Retry 3 rows” on the Batch page", "Server error",
        "11, 22, 33", "The endpoint broke. Retry the row.",
        "3 rows were begun more than once",
        "Rows over time", "Time a row", "Cost a row", "90 % below", "$0.010 to $0.040",
        "from the 3 rows of the trial", "$5.00", "topic 7", "Answer 7.", "the same as row 3",
    ):  # fmt: skip
        assert told in page.text, told


def test_a_report_names_the_address_that_was_asked() -> None:
    asked = batch(places={"paid": "http://models.example:8000/v1"})
    page, text = report(asked, list(some())), text_of(asked, list(some()), "md")
    for told in (page.text, text):
        assert "gpt-test at models.example:8000" in told
        assert "at paid" not in told
    here = batch(model=ModelRef(endpoint=BUNDLED, model=""), places={BUNDLED: ""})
    assert "the default at this machine" in report(here, list(some())).text


def test_a_vote_without_a_decision_is_called_that() -> None:
    rows = [done(number) for number in range(1, 20)]
    result = rows[0].result
    assert result is not None
    rows[0] = replace(rows[0], result=replace(result, verdict=None, agreement=0.01))
    page, text = report(batch(), rows), text_of(batch(), rows, "md")
    for told in (page.text, text):
        assert "Row 1, no decision, 1% at most: rain" in told
        assert "nobody" not in told


def test_a_report_loads_and_runs_nothing() -> None:
    source = text_of(batch(), list(some()))
    page = read_report(source)
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src 'none'" in page.policy
    assert page.all("script") == []
    assert page.all("img") == []
    assert page.values("style") == []
    assert all(link.startswith("#") for link in page.values("href") if "data:image" not in link)


@pytest.mark.parametrize("text", [*EVIL, *NASTY])
def test_no_text_gets_out_of_its_place(text: str) -> None:
    hostile = [replace(done(n, text, text), worker=text) for n in range(1, 12)]
    result = hostile[0].result
    assert result is not None
    hostile[0] = replace(hostile[0], result=replace(result, verdict=text))
    rows = [*hostile, failed(12, text)]
    of = batch("topic", text, title=text, why=text, workflow=text, definition={"title": text},
               estimate={"basis": text})  # fmt: skip
    calm = report(batch("topic", "x"), [*(done(n) for n in range(1, 12)), failed(12)])
    page = report(of, rows)
    assert page.all("script") == []
    assert page.all("img") == []
    assert len(page.all("style")) == 1
    assert len(page.all("h1")) == len(calm.all("h1")) == 1
    assert len(page.all("section")) == len(calm.all("section"))
    assert not any(name.startswith("on") for one in page.elements for name in one.attributes)
    assert not any("javascript:" in link for link in page.values("href"))


@pytest.mark.parametrize("text", [*EVIL, *NASTY])
def test_no_text_gets_out_of_its_place_in_markdown(text: str) -> None:
    rows = [*(done(n, text, text) for n in range(1, 12)), failed(12, text)]
    of = batch("topic", text, title=f"T {text}", why=f"W {text}", workflow=text)
    source = text_of(of, rows, "md")
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    calm = text_of(
        batch("topic", "x", why="y"), [done(n) for n in range(1, 12)] + [failed(12)], "md"
    )
    expected = MarkdownIt("commonmark").enable("table").parse(calm)
    blocks = [token.type for token in tokens if token.type != "inline"]
    assert blocks == [token.type for token in expected if token.type != "inline"]
    inline = [child for token in tokens for child in token.children or ()]
    assert not any(child.type in ("html_inline", "image", "link_open") for child in inline)


def test_markdown_tells_the_same() -> None:
    source = text_of(batch(), list(some()), "md")
    for told in (
        "# Reviews of November",
        "**Finished: 36 of 40 rows answered",
        "| Server error | 3 |",
        "### Agreed least",
        "| 7 | topic 7 | Answered | allow | 60% | Answer 7. |",
    ):
        assert told in source, told


def test_only_the_first_rows_are_in_a_report_and_it_says_so() -> None:
    rows = [done(n) for n in range(1, SHOWN + 101)]
    source = text_of(batch(), rows)
    assert f"The first {SHOWN} of {SHOWN + 100} rows." in source
    assert f"<bdi>run-{SHOWN}</bdi>" in source
    assert f"<bdi>run-{SHOWN + 1}</bdi>" not in source
    assert "The first 500 of" not in report(batch(), rows[:SHOWN]).text


def test_a_long_answer_does_not_make_a_long_report() -> None:
    source = text_of(batch(), [done(n, answer="word " * 100_000) for n in range(1, 30)])
    assert len(source) < 200_000


def test_a_batch_that_waits_says_why() -> None:
    of = batch(state=BatchState.PAUSED, why="The budget is used up. Raise it.", finished_at=None)
    page = report(of, [waiting(1), waiting(2)])
    for told in ("Paused", "The budget is used up. Raise it.", "0 of 2 rows answered", "Waiting"):
        assert told in page.text
    assert "Rows over time" not in page.text


def test_rows_that_wait_for_the_end_of_a_trial_are_not_told_as_left_out() -> None:
    waits = [replace(skipped(n), row=replace(row(n), skipped=HELD)) for n in range(4, 14)]
    of = batch(estimate={"low_usd": "0.01", "high_usd": "0.04"})
    rows = [*(done(n) for n in range(1, 4)), *waits, skipped(14)]
    for format in ("html", "md"):
        source = text_of(of, rows, format)
        told = read_report(source).text if format == "html" else source
        for words in ("3 of 3 rows answered", "10 held back for a trial", "Held back", HELD,
                      "1 left out before the start"):  # fmt: skip
            assert words in told, words
        assert "11 left out" not in told
        assert told.count("Left out") < told.count("Held back")
        assert "below it" not in told, "three rows say nothing about the estimate of all"


def test_rows_that_lack_a_branch_are_among_those_to_retry() -> None:
    lacks = replace(done(1), state=RowState.PARTIAL)
    for rows, number in ([lacks, failed(2)], "2 rows"), ([lacks], "1 row"):
        assert f"“Retry {number}” on the Batch page" in text_of(batch(), rows, "md")
    assert "Retry" not in text_of(batch(), [done(1)], "md")


def test_the_extremes_of_agreement_are_found_among_all_rows() -> None:
    rows = []
    for number in range(1, 1_001):
        result = done(number).result
        assert result is not None
        agreement = 0.2 if number == 777 else 1.0 if number == 800 else 0.5
        rows.append(replace(done(number), result=replace(result, agreement=agreement)))
    found = summary(batch(), rows)
    assert found.least_agreed[0].row.number == 777
    assert found.most_agreed[0].row.number == 800
    assert [one.row.number for one in found.least_agreed[1:]] == [1, 2, 3, 4]


def test_workers_are_named_by_host_and_process_where_they_are_known() -> None:
    seen = WorkerSeen(
        id="w1", host="alpha", pid=12, version="1", format=1, started_at=0, seen_at=0, alive=False
    )
    found = summary(batch(), some(), [seen])
    assert [(one.name, one.rows) for one in found.crew] == [("alpha, process 12", 36), ("w2", 3)]


def test_what_was_spent_is_held_against_estimate_and_budget() -> None:
    of = batch(
        budget=Budget(usd=Decimal("0.01"), tokens=1_000),
        estimate={"low_usd": "0.0001", "high_usd": "0.0002", "low_s": 1.0, "high_s": 7300.0},
    )
    told = {name: rest for name, *rest in held_against(summary(of, [done(1), done(2)]))}
    assert told["Cost, as estimated"] == ["$0.00010 to $0.00020", "$0.0025, above it"]
    assert told["Time, as estimated"] == ["1.0 s to 2 h 2 min", "4.2 s"]
    assert told["Budget"] == ["$0.01", "$0.0025 (25%)"]
    assert told["Budget of tokens"] == ["1,000", "400 (40%)"]
    unknown = {name: rest for name, *rest in held_against(summary(of, [done(1), failed(2)]))}
    assert unknown["Budget"][1] == "at least $0.0012 (12%): the cost of 1 row is unknown"
    assert "it" not in unknown["Cost, as estimated"][1].split(", ")[-1].split()


def test_words_for_money_and_time() -> None:
    assert (
        money_words(summary(batch(), [failed(1)]).figures.money) == "the cost of 1 row is unknown"
    )
    assert money_words(summary(batch(), [waiting(1)]).figures.money) == "nothing spent"
    assert headline(summary(batch(), [waiting(1)]).figures) == "0 of 1 row answered"
    assert [time_text(s) for s in (2.0, 725, 12_000, 180_000)] == [
        "2.0 s", "12 min 5 s", "3 h 20 min", "2 d 2 h"
    ]  # fmt: skip
