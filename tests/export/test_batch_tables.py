"""A batch as a table: what goes in comes out again, whatever somebody wrote, and memory is flat."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pyarrow.parquet as parquet  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape  # type: ignore[import-untyped]

from fanout.batches import Batch, RowRecord
from fanout.errors import InputError
from fanout.export.batch.csv_rows import as_it_was, escaped
from fanout.export.batch.fields import PREFIX, fields
from fanout.export.batch.formats import BATCH_FORMATS, batch_file_name, write
from fanout.export.batch.xlsx_rows import LONG
from tests.export.batches import BEGAN, NASTY, batch, done, failed, safe, some, waiting

Table = list[dict[str, object]]
Read = Callable[[bytes], Table]


def written(of: Batch, rows: list[RowRecord], format: str) -> bytes:
    out = io.BytesIO()
    assert write(of, iter(rows), format, out) == len(rows)
    return out.getvalue()


def from_csv(data: bytes) -> Table:
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    heads, *rows = [[as_it_was(cell) for cell in line] for line in lines]
    assert all(len(line) == len(heads) for line in rows)
    return [{h: cell for h, cell in zip(heads, line, strict=True) if cell} for line in rows]


def from_xlsx(data: bytes) -> Table:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    heads, *rows = (
        [unescape(cell) if isinstance(cell, str) else cell for cell in line]
        for line in book["Rows"].iter_rows(values_only=True)
    )
    return [
        {h or "": c for h, c in zip(heads, line, strict=False) if c not in (None, "")}
        for line in rows
    ]


def from_parquet(data: bytes) -> Table:
    found = parquet.read_table(io.BytesIO(data)).to_pylist()
    return [{h: cell for h, cell in line.items() if cell not in (None, "")} for line in found]


def in_a_cell(text: str) -> str:
    """XML has no such signs, and a cell's lines end in one way only."""
    kept = text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    return kept.replace("\r\n", "\n").replace("\r", "\n")


FLAT: dict[str, Read] = {"csv": from_csv, "xlsx": from_xlsx, "parquet": from_parquet}


@pytest.mark.parametrize("format", FLAT)
def test_nothing_that_somebody_wrote_is_lost(format: str) -> None:
    of = batch("topic", "note", "=cmd()")
    rows = [done(n, text, text, note=text) for n, text in enumerate(NASTY, 1)]
    read = FLAT[format](written(of, rows, format))
    assert len(read) == len(NASTY)
    for text, line in zip(NASTY, read, strict=True):
        for column in ("topic", "note", "fanout_topic", "fanout_answer"):
            expected = safe(text)
            if format == "xlsx":
                expected = in_a_cell(expected)
            assert line.get(column, "") == expected, (format, column, text)


def test_json_lines_keep_what_was_read_apart_from_what_came_of_it() -> None:
    rows = [done(n, text, text, state=text) for n, text in enumerate(NASTY, 1)]
    lines = written(batch("topic", "state"), rows, "jsonl").split(b"\n")
    assert lines.pop() == b""
    read = [json.loads(line) for line in lines]
    for text, line in zip(NASTY, read, strict=True):
        assert line["values"] == {"topic": safe(text), "state": safe(text)}
        assert (line["answer"] or "") == safe(text)
        assert line["state"] == "succeeded"


@pytest.mark.parametrize("format", FLAT)
def test_no_column_of_ours_takes_the_place_of_one_of_theirs(format: str) -> None:
    theirs = ("topic", "Fanout_State", "fanout_row", "fanout__x", "state", "")
    values = {name: f"own {name}" for name in theirs[1:]}
    of = batch(*theirs)
    (line,) = FLAT[format](written(of, [done(1, **values)], format))
    for name, value in values.items():
        assert line[name] == value
    assert line["fanout___state"] == "succeeded"
    names = [one.name.casefold() for one in fields(of)]
    assert len(names) == len(set(names))


def test_an_export_can_be_exported_again() -> None:
    first = [one.name for one in fields(batch("topic"))]
    again = [one.name for one in fields(batch(*first))]
    assert len(again) == len(set(again))
    assert set(first) <= set(again)


@pytest.mark.parametrize("format", FLAT)
def test_numbers_stay_numbers_and_what_is_unknown_stays_empty(format: str) -> None:
    rows = [done(1), failed(2), waiting(3)]
    first, second, third = FLAT[format](written(batch(), rows, format))
    usd, row, known = first["fanout_cost_usd"], first["fanout_row"], first["fanout_cost_known"]
    if format == "csv":
        assert (usd, row, known) == ("0.0012345", "1", "yes")
    else:
        assert usd == pytest.approx(0.0012345, abs=1e-12)
        assert row == 1
        assert known in ("yes", True)
    assert "fanout_cost_usd" not in second
    assert second["fanout_cost_known"] in ("no", False)
    assert second["fanout_failure"] == "server"
    assert "fanout_cost_known" not in third
    assert "fanout_wall_s" not in third
    assert third["fanout_state"] == "waiting"
    assert third["fanout_topic"] == "rain"


def test_money_and_times_are_what_data_tools_expect() -> None:
    table = parquet.read_table(io.BytesIO(written(batch(), [done(1), waiting(2)], "parquet")))
    assert str(table.schema.field("fanout_cost_usd").type) == "double"
    assert str(table.schema.field("fanout_finished_at").type) == "timestamp[ms, tz=UTC]"
    assert table.column("fanout_finished_at").to_pylist()[0].timestamp() == BEGAN + 4.25
    (line,) = map(json.loads, written(batch(), [done(1)], "jsonl").splitlines())
    assert (line["cost_usd"], line["cost_known"]) == (0.0012345, True)
    assert line["finished_at"] == "2026-11-23T12:00:04.250Z"
    assert line["measures"] == {"independence": 2.5, "speed_up": 2.75}


def test_columns_that_came_with_later_rows_are_kept() -> None:
    late = done(1, colour="red")
    (line,) = from_csv(written(batch("topic"), [late], "csv"))
    assert json.loads(str(line["fanout_other_columns"])) == {"colour": "red"}


def test_a_variable_that_a_column_of_another_name_fills_is_told_once() -> None:
    of = batch("topic", "Target group", definition={"variables": {"target_group": "all"}})
    first = done(1, **{"Target group": "pupils", "target_group": "pupils"})
    late = done(2, target_group="parents")
    other = done(3, Leser="voters", target_group="voters")
    told = [one.get("fanout_other_columns") for one in from_csv(written(of, [first, late, other],
                                                                         "csv"))]  # fmt: skip
    assert told == [None, '{"target_group": "parents"}', '{"Leser": "voters"}']


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_no_cell_is_computed(format: str) -> None:
    of = batch("topic", "=HYPERLINK(1)")
    data = written(of, [done(n, text, text) for n, text in enumerate(NASTY, 1)], format)
    if format == "csv":
        text = data.decode("utf-8-sig")
        for line in csv.reader(io.StringIO(text, newline="")):
            assert not any(cell.lstrip(" ").startswith(tuple("=+@-|\t\r")) for cell in line)
        return
    for sheet in openpyxl.load_workbook(io.BytesIO(data)):
        for line in sheet.iter_rows():
            assert not any(cell.data_type == "f" or cell.hyperlink for cell in line)


@given(st.text(alphabet="'=+-@ \t\r\n\xa0|%a1,\"", max_size=8))
@settings(max_examples=400, deadline=None)
def test_an_escaped_text_can_always_be_told_from_another(text: str) -> None:
    assert as_it_was(escaped(text)) == text


def test_a_text_that_no_cell_can_hold_stands_whole_on_its_own_sheet() -> None:
    answer = "🦉 é" * 15_000
    data = written(batch(), [done(1), done(2, answer=answer)], "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(data))
    heads = [cell.value for cell in book["Rows"][1]]
    cell = book["Rows"].cell(3, heads.index("fanout_answer") + 1).value
    assert cell.startswith("🦉 é")
    assert cell.endswith(f"(whole on the sheet {LONG})")
    parts = list(book[LONG].iter_rows(min_row=2, values_only=True))
    assert [part[:3] for part in parts] == [(2, "fanout_answer", n) for n in (1, 2, 3)]
    assert "".join(part[3] for part in parts) == answer


def test_a_path_gets_the_file_only_once_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "rows.csv"
    target.write_text("the old one")

    def breaking() -> Iterator[RowRecord]:
        yield done(1)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write(batch(), breaking(), "csv", target)
    assert target.read_text() == "the old one"
    assert write(batch(), some(), "csv", target) == 40
    assert len(from_csv(target.read_bytes())) == 40
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_form_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="csv, xlsx, jsonl, parquet, html or md"):
        write(batch(), [], "docx", io.BytesIO())


def test_a_file_is_named_after_its_batch() -> None:
    of = batch(title="../../Reviews: März?")
    assert batch_file_name(of, "parquet") == "reviews-märz-2026-11-23-b-Xy12.parquet"


@pytest.mark.parametrize("format", BATCH_FORMATS)
def test_a_batch_without_rows_is_a_file_all_the_same(format: str) -> None:
    assert len(written(batch(), [], format)) > 0 or format == "jsonl"


class Counted(io.RawIOBase):
    """A file that keeps nothing."""

    def __init__(self) -> None:
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        self.size += size
        return size

    def tell(self) -> int:
        return self.size


@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx", "parquet", "html"])
def test_memory_does_not_grow_with_the_number_of_rows(format: str) -> None:
    def peak(number: int) -> int:
        rows = (done(n, f"topic {n}", f"Answer {n}. " * 40) for n in range(1, number + 1))
        out = Counted()
        tracemalloc.start()
        write(batch(), rows, format, out)  # type: ignore[arg-type]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert out.size > 5_000
        return found

    peak(10)
    # Texts alone are 500 bytes a row. A report keeps 500 rows, and of the others their figures;
    # Parquet is written in groups of 5,000.
    few, many = (600, 1_200) if format == "html" else (200, 800)
    grown = (peak(many) - peak(few)) / (many - few)
    assert grown < {"parquet": 4_000, "html": 400}.get(format, 100), f"{grown:.0f} bytes a row"


def test_prices_below_a_nano_dollar_are_no_scientific_notation() -> None:
    (line,) = from_csv(written(batch(), [done(1)], "csv"))
    assert Decimal(str(line[f"{PREFIX}cost_usd"])) == Decimal("0.0012345")
