"""Workbooks: their sheets, results of formulas, damage, and what was made to hurt."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import openpyxl  # type: ignore[import-untyped]
import pytest

from fanout.batch.reading import workbook
from fanout.batch.reading.reading import read_table
from fanout.bounds import LOCAL, SHARED
from fanout.errors import InputError
from fanout.workflows.topic import clean_words


def book(**sheets: Sequence[Sequence[object]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def changed(data: bytes, path: str, change: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change if name == path else old.read(name))
    return out.getvalue()


def test_the_first_sheet_that_holds_anything_is_read_and_told() -> None:
    data = book(
        Empty=[],
        Topics=[["topic", "n", None], ["rain", 1.0], [None], ["snow", True, None, "x"]],
        Other=[["topic"], ["fog"]],
    )
    table = read_table(data, "a.xlsx")
    assert table.columns == ("topic", "n")
    assert [(row.cells, row.line) for row in table.rows] == [
        (("rain", "1"), 2), (("snow", "TRUE"), 4),
    ]  # fmt: skip
    assert (table.sheets, table.sheet) == (("Empty", "Topics", "Other"), "Topics")
    assert any('3 sheets; "Topics" was read' in note for note in table.notes)


def test_a_sheet_can_be_chosen() -> None:
    data = book(Topics=[["topic"], ["rain"]], Other=[["topic"], ["fog"]])
    table = read_table(data, "a.xlsx", sheet="Other")
    assert [row.cells for row in table.rows] == [("fog",)]
    assert table.notes == ()
    with pytest.raises(InputError, match=r'^a.xlsx has no sheet "None"\. It has "Topics", "Other"'):
        read_table(data, "a.xlsx", sheet="None")


def test_values_are_texts_as_people_write_them() -> None:
    row = ["x", 3, 2.5, 1e20, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), False]
    table = read_table(book(S=[["topic", *"abcdef"], row]), "a.xlsx")
    assert table.rows[0].cells == (
        "x", "3", "2.5", "1e+20", "2026-01-02", "2026-01-02 03:04:00", "FALSE",
    )  # fmt: skip


def test_the_result_of_a_formula_is_read_and_a_missing_one_told() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>topic</t></is></c>'
        b'<c r="B1" t="inlineStr"><is><t>n</t></is></c></row>'
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>=1+1 is text</t></is></c>'
        b'<c r="B2"><f>20+22</f><v>42</v></c></row></sheetData></worksheet>'
    )
    table = read_table(changed(book(S=[["x"]]), "xl/worksheets/sheet1.xml", sheet), "a.xlsx")
    assert table.rows[0].cells == ("=1+1 is text", "42")
    assert table.notes == ()
    bare = read_table(book(S=[["topic", "n"], ["x", "=1+1"]]), "a.xlsx")
    assert bare.rows[0].cells == ("x", "")
    assert any(note.startswith("1 formula has no result") for note in bare.notes)


def test_an_error_in_place_of_a_value_is_no_topic_and_told() -> None:
    below = ["rain", "#N/A"], ["#REF!", 1], ["#DIV/0!"], ["fog", "#N/A"]
    table = read_table(book(S=[["topic", "n"], *below]), "a.xlsx")
    assert [(row.cells, row.line) for row in table.rows] == [
        (("rain", ""), 2), (("", "1"), 3), (("fog", ""), 5),
    ]  # fmt: skip
    assert table.notes == (
        '4 cells hold an error, such as "#N/A", and no value, so that stays empty.',
    )


def test_a_long_text_that_is_said_again_and_again_is_refused_with_little_memory() -> None:
    text = "a" * 31_999 + "🦉"
    data = book(S=[["topic"], *([text] for _ in range(2_000))])
    few = replace(SHARED, upload_bytes=1_000_000)
    assert len(data) < 100_000
    tracemalloc.start()
    with pytest.raises(InputError, match=r"^a\.xlsx, line 3\d: up to here it holds more text"):
        read_table(data, "a.xlsx", few)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


def test_a_row_without_end_is_refused_with_its_line() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>topic</t></is></c></row>'
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>%b</t></is></c></row></sheetData></worksheet>'
    ) % (b"a" * workbook.LONGEST_LINE)
    with pytest.raises(InputError, match=r"^a\.xlsx, line 2: it holds more text than can be read"):
        read_table(changed(book(S=[["x"]]), "xl/worksheets/sheet1.xml", sheet), "a.xlsx")


def test_letters_of_every_kind_come_through_whole() -> None:
    rows = [["topic"], ["Grün – 🦉 \u2028 \x85 עברית"], ['"quoted"\nand\ttabbed']]
    table = read_table(book(S=rows), "a.xlsx")
    assert [row.cells for row in table.rows] == [(clean_words(row[0]),) for row in rows[1:]]


def test_a_workbook_by_another_name_is_read_as_one() -> None:
    table = read_table(book(S=[["topic"], ["rain"]]), "a.csv")
    assert [row.cells for row in table.rows] == [("rain",)]
    assert "is a workbook" in table.notes[0]


def test_too_many_rows_are_refused_without_reading_the_rest() -> None:
    data = book(S=[["topic", "n"], *(["x", n] for n in range(500))])
    with pytest.raises(InputError, match="more than 20 rows"):
        read_table(data, "a.xlsx", replace(LOCAL, batch_rows=20))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (book(S=[["topic"], ["rain"]])[:900], "damaged"),
        (book(S=[]), "holds no rows"),
        (changed(book(S=[["topic"]]), "xl/workbook.xml", b"<no"), "damaged"),
        (changed(book(S=[["topic"]]), "xl/worksheets/sheet1.xml", b"<no"), "damaged"),
        (
            changed(
                book(S=[["topic"]]), "xl/workbook.xml",
                b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
                    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 99) for n in range(9)
                ) + b"]><x>&j;</x>",
            ),
            "damaged",
        ),
    ],
    ids=["half", "empty", "no workbook", "no sheet", "entities"],
)  # fmt: skip
def test_a_damaged_workbook_is_told(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=rf"^a\.xlsx .*{says}"):
        read_table(data, "a.xlsx")


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"x")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 3_000_000)
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 2_000_000)
    with pytest.raises(InputError, match="would unpack to more than 2 MB"):
        read_table(out.getvalue(), "a.xlsx")


def test_a_row_far_below_the_last_possible_one_does_not_hang() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>topic</t></is></c></row>'
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>rain</t></is></c></row>'
        b'<row r="2000000000"><c r="A2000000000"><v>1</v></c></row></sheetData></worksheet>'
    )
    table = read_table(changed(book(S=[["x"]]), "xl/worksheets/sheet1.xml", sheet), "a.xlsx")
    assert [row.cells for row in table.rows] == [("rain",)]


def test_the_reader_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(workbook, "READ_S", 0.0)
    with pytest.raises(InputError, match="could not be read within") as refused:
        read_table(book(S=[["topic"], ["rain"]]), "a.xlsx")
    assert "sk-secret" not in str(refused.value)
