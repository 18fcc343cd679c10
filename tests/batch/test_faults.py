"""A batch at an endpoint that does one request in twenty wrong, in each of twelve ways at once.

Two thousand rows of the same: python -m tests.batch.fault_proof
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import openpyxl  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest

from fanout.batch.reading.reading import read_table
from fanout.batches import RowState
from fanout.export.batch.csv_rows import as_it_was
from fanout.export.batch.formats import write
from tests.batch import faulty
from tests.batch.fault_proof import (
    Proof,
    asked_again,
    proof,
    uncombined,
    unlike_faultless,
    unlike_told,
    wrongly_billed,
)

ROWS = 60
SEED = 6


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    with proof(tmp_path_factory.mktemp("faults"), "", ROWS, SEED) as carried_out:
        yield carried_out


def test_the_endpoint_really_did_all_of_it(seen: Proof) -> None:
    counted = seen.last.done.counted
    assert {*faulty.FAULTS, "refused"} <= set(counted)
    wrong = sum(counted[name] for name in faulty.FAULTS)
    assert wrong > counted.total() * faulty.SHARE * len(faulty.FAULTS) * 0.75


def test_every_row_is_accounted_for(seen: Proof) -> None:
    for moment in (seen.first, seen.last):
        assert [row.row.number for row in moment.rows] == list(range(1, ROWS + 1))
        assert all(row.state.finished for row in moment.rows)
        assert len({row.run_id for row in moment.rows}) == ROWS
    progress = seen.at.store.batches.progress(seen.batch.id)
    assert {state: count for state, count in progress.counts.items() if count} == seen.last.states
    grouped = sum(group.count for group in progress.failures)
    assert grouped == len(faulty.REFUSED)


def test_a_rows_cause_is_something_that_the_endpoint_did_to_it(seen: Proof) -> None:
    lacking = [row for row in seen.first.rows if row.state is not RowState.SUCCEEDED]
    assert len(lacking) > len(faulty.REFUSED), "nothing failed that a retry could mend"
    for row in lacking:
        assert row.result is not None
        did = {faulty.kind_of(one.fault) for one in seen.first.done.to_row(row.row.number)}
        assert row.result.cause in did - {None}
        assert row.result.message


def test_each_attempt_is_told_as_what_the_endpoint_did(seen: Proof) -> None:
    assert unlike_told(seen.last) == []


def test_tokens_and_money_are_what_the_endpoint_counted(seen: Proof) -> None:
    assert wrongly_billed(seen.first) == []
    assert wrongly_billed(seen.last) == []


def test_the_batch_has_cost_what_its_rows_have(seen: Proof) -> None:
    results = [row.result for row in seen.last.rows if row.result is not None]
    costs = [result.cost.usd for result in results if result.cost is not None]
    tokens = sum(result.input_tokens + result.output_tokens for result in results)
    progress = seen.at.store.batches.progress(seen.batch.id)
    assert len(costs) == ROWS
    assert progress.unknown_costs == 0
    assert progress.tokens == tokens
    assert progress.cost_nano == sum(int(usd * 10**9) for usd in costs)


def test_the_budget_counts_no_less_than_the_table_says(seen: Proof) -> None:
    """What broke off without a count may have cost more than it seems, so it counts for more."""
    progress = seen.at.store.batches.progress(seen.batch.id)
    spent = seen.at.store.spend.taken("", "", seen.batch.id).batch.spent
    assert spent.usd >= Decimal(progress.cost_nano) / 10**9
    assert spent.tokens >= progress.tokens


def test_nothing_that_was_answered_is_asked_again(seen: Proof) -> None:
    assert seen.rounds > 0
    assert asked_again(seen.first, seen.last) == []


def test_the_answers_are_those_that_there_would_be_without_faults(seen: Proof) -> None:
    assert unlike_faultless(seen.last) == []
    assert uncombined(seen.last) == []


def test_csv_comes_back_as_it_was(seen: Proof) -> None:
    table = read_table(_written(seen, "csv"), "out.csv")
    rows = [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows]
    assert [_told(row, as_it_was) for row in rows] == _expected(seen)


def test_jsonl_comes_back_as_it_was(seen: Proof) -> None:
    lines = map(json.loads, _written(seen, "jsonl").decode("utf-8").split("\n")[:-1])
    rows = [
        {f"fanout_{name}": value for name, value in one.items()} | one["values"] for one in lines
    ]
    assert [_told(row) for row in rows] == _expected(seen)


def test_parquet_comes_back_as_it_was(seen: Proof) -> None:
    rows = pyarrow.parquet.read_table(io.BytesIO(_written(seen, "parquet"))).to_pylist()
    assert [_told(row) for row in rows] == _expected(seen)


def test_a_workbook_comes_back_as_it_was(seen: Proof) -> None:
    book = openpyxl.load_workbook(io.BytesIO(_written(seen, "xlsx")), read_only=True)
    header, *lines = book.worksheets[0].iter_rows(values_only=True)
    rows = [dict(zip(map(str, header), line, strict=True)) for line in lines]
    assert [_told(row) for row in rows] == _expected(seen)


def _written(seen: Proof, format: str) -> bytes:
    out = io.BytesIO()
    assert write(seen.batch, seen.at.store.batches.each(seen.batch.id), format, out) == ROWS
    return out.getvalue()


def _told(row: Mapping[str, object], read: Callable[[str], str] = str) -> tuple[str, ...]:
    texts = ("topic", "note", "fanout_state", "fanout_answer", "fanout_run_id")
    said = [read(str(row[name] or "")) for name in texts]
    failure = row.get("fanout_failure") or ""
    said.append(str(failure["kind"] if isinstance(failure, Mapping) else failure))
    numbers = ("fanout_row", "fanout_cost_usd", "fanout_input_tokens", "fanout_output_tokens")
    return (*said, *(f"{Decimal(str(row[name])):.9f}" for name in numbers))


def _expected(seen: Proof) -> list[tuple[str, ...]]:
    found = []
    for row in seen.last.rows:
        result = row.result
        assert result is not None
        assert result.cost is not None
        numbers = (row.row.number, result.cost.usd, result.input_tokens, result.output_tokens)
        texts = (
            *(row.row.topic, row.row.values["note"], row.state.value, result.answer),
            *(row.run_id or "", result.cause.value if result.cause else ""),
        )
        found.append((*texts, *(f"{Decimal(number):.9f}" for number in numbers)))
    return found
