"""The numbers of a run for spreadsheets: complete, still numbers, and never computed."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.export.tables import Column, Table, attempts_table, branches_table, votes_table
from fanout.export.tables_csv import BYTE_ORDER_MARK, csv_export, joined, written
from fanout.export.tables_workbook import MOST_CHARACTERS, xlsx_export
from fanout.insight.speed import speed
from fanout.providers.script import Reply
from fanout.store.values import StoredRun
from tests.export.batches import MARKUP
from tests.export.stored_runs import NAMES, failed_run, nasty_run, shipped_runs, stored
from tests.rig import rig, script, trio

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x",
    " =1", "\n=1", "\u202a=1", "\x00=1", "\u3000=1", "=HYPERLINK(\"http://evil.test\")", "|calc",
)  # fmt: skip


def rows(run: StoredRun, table: str) -> list[dict[str, str]]:
    text = csv_export(run)
    assert text.startswith(BYTE_ORDER_MARK)
    reader = csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""))
    return [row for row in reader if row["table"] == table]


def book(run: StoredRun) -> Any:
    return openpyxl.load_workbook(io.BytesIO(xlsx_export(run)))


def cells(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@pytest.mark.parametrize("name", NAMES)
def test_every_call_is_a_row_with_its_numbers(name: str) -> None:
    run = shipped_runs()[name]
    found = rows(run, "Branches")
    assert [row["id"] for row in found] == [call.id for call in run.snapshot.calls]
    for row, call in zip(found, run.snapshot.calls, strict=True):
        assert float(row["own_s"]) == pytest.approx(call.own_s(run.snapshot.at), abs=1e-6)
        assert int(row["characters"]) == len(call.text)
    (whole,) = rows(run, "Run")
    assert float(whole["wall_s"]) == pytest.approx(
        speed(run.snapshot, run.snapshot.at).wall_s, abs=1e-6
    )
    assert whole["cost_usd"] == "", "unknown is not 0"
    assert len(rows(run, "Measures")) == 7


def test_every_line_of_a_csv_has_as_many_fields_as_its_header() -> None:
    for run in (*shipped_runs().values(), failed_run(), nasty_run()):
        text = csv_export(run)
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert {len(line) for line in lines} == {len(lines[0])}
        assert len(set(lines[0])) == len(lines[0])
        assert "\r\n" in text and "\x00" not in text
        text.encode()


def test_each_request_is_an_attempt_also_the_failed_ones() -> None:
    twice = script(poem=(Reply(status=503), Reply(text="A poem at last.")))
    with rig(twice) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
    found = [row for row in rows(stored(handle), "Attempts") if row["id"] == "poem"]
    assert [(row["attempt"], row["outcome"]) for row in found] == [("1", "Failed"), ("2", "Done")]
    assert found[0]["failure"] == "Server error" and found[1]["failure"] == ""
    assert float(found[0]["ended_at_s"]) <= float(found[1]["started_at_s"])
    goes = [row for row in rows(failed_run(), "Attempts") if row["id"] == "poem"]
    assert [(row["go"], row["outcome"]) for row in goes] == [("1", "Failed"), ("2", "Failed")]


def test_attempts_add_up_to_those_of_the_branches() -> None:
    for run in (*shipped_runs().values(), failed_run()):
        asked = sum(go.attempts for go in run.snapshot.goes)
        assert len(attempts_table(run.snapshot).rows) == asked


def test_ballots_are_rows() -> None:
    found = rows(shipped_runs()["moderation"], "Votes")
    assert {row["choice"] for row in found if row["valid"] == "yes"} == {"block"}
    assert votes_table(shipped_runs()["review"].snapshot).rows == ()
    ranked = rows(shipped_runs()["judges"], "Votes")
    assert any(" > " in row["ranking"] for row in ranked)


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_is_made_text(text: str) -> None:
    assert written(text).startswith("'")


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (-1.5, "-1.5"), (0.0, "0"), (1e-9, "0"), (12, "12"), (None, ""), (float("nan"), ""),
        (float("inf"), ""), (Decimal("0.000000123"), "0.000000123"), (Decimal("1E+3"), "1000"),
        (Decimal("-2.50"), "-2.5"), (Decimal("NaN"), ""), ("plain", "plain"), ("a=1", "a=1"),
        ("'quoted'", "'quoted'"), ("", ""),
    ],
)  # fmt: skip
def test_numbers_stay_numbers(cell: Any, wanted: str) -> None:
    assert written(cell) == wanted


@given(st.text())
def test_no_text_at_all_begins_a_cell_as_a_formula(text: str) -> None:
    table = Table(name="T", columns=(Column(name="x"),), rows=((text,),))
    (_, (_, cell)) = csv.reader(io.StringIO(joined([table]), newline=""))
    assert not cell.startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))


def test_the_workbook_has_its_sheets_and_numbers() -> None:
    run = shipped_runs()["moderation"]
    made = book(run)
    assert made.sheetnames == ["Branches", "Attempts", "Votes", "Measures", "Texts"]
    branches = cells(made["Branches"])
    assert len(branches) == 1 + len(branches_table(run.snapshot).rows)
    column = branches[0].index("Total s")
    assert all(isinstance(row[column], int | float) for row in branches[1:])
    assert made["Branches"].freeze_panes == "C2"
    facts = {row[0]: row[1] if row[1] is not None else row[2] for row in cells(made["Measures"])}
    assert facts["run id"] == run.id and facts["branches"] == 5
    texts = {row[1]: row[2] for row in cells(made["Texts"])}
    assert texts["Topic"] == "rain" and "Block: all 3" in texts[run.snapshot.aggregates[0].heading]


def test_no_cell_of_a_workbook_computes_or_links() -> None:
    links = '=HYPERLINK("http://evil.test")', "http://evil.test"
    for text in ("=1+1", *links, "@x", "{=1}", *MARKUP):
        made = book(nasty_run(text))
        for sheet in made.worksheets:
            for row in sheet.iter_rows():
                assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)
        (topic,) = [c for c in made["Texts"]["C"] if c.row == 2]
        assert topic.value == text
        assert topic.quotePrefix == text.startswith(("=", "@"))


def test_hostile_texts_make_a_readable_workbook() -> None:
    made = book(nasty_run())
    topic = cells(made["Texts"])[1][2]
    assert "<script>alert(1)</script>" in topic and "_x0041_" in topic
    assert not set("\x00\x07\x1b\u202e\ufffe") & set(topic)


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_a_text_that_no_cell_can_hold_goes_on_in_the_next(letter: str) -> None:
    text = letter * 70_000
    made = book(nasty_run(text))
    found = [row[2] for row in cells(made["Texts"]) if str(row[1]).startswith("Topic")]
    assert len(found) > 1 and "".join(found) == text
    for sheet in made.worksheets:
        for row in cells(sheet):
            units = [len(c.encode("utf-16-le")) // 2 for c in row if isinstance(c, str)]
            assert max(units, default=0) <= MOST_CHARACTERS
