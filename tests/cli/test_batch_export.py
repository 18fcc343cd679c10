"""`python -m fanout export` on a batch: by its id or as the newest, in every form that it has."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.batches import NewBatch, Row, RowResult, RowState
from fanout.cli.main import main
from fanout.export.batch.formats import BATCH_FORMATS
from fanout.store.store import Store
from fanout.types import BatchId, Cost, EndpointId, ModelRef, Price, RunId

PRICE = Price(input=Decimal(1), output=Decimal(4), source="test")
Told = pytest.CaptureFixture[str]


@pytest.fixture
def made(fanout_home: Path) -> BatchId:
    with Store.open(fanout_home) as store:
        new = NewBatch(
            title="Reviews",
            workflow="w",
            definition={},
            model=ModelRef(endpoint=EndpointId("e"), model="m"),
            columns=("topic", "lang"),
        )
        rows = [
            Row(number=n, topic=f"topic {n}", values={"topic": f"topic {n}", "lang": "en"})
            for n in range(1, 5)
        ]
        batch = store.batches.create(new, rows)
        store.batches.resume(batch)
        for record in store.batches.take(batch, 3):
            number, run_id = record.row.number, RunId(f"run{record.row.number}")
            store.batches.begin(batch, number, record.go, run_id, "w")
            cost = Cost(usd=Decimal("0.5"), price=PRICE)
            result = RowResult(state=RowState.SUCCEEDED, run_id=run_id, answer="=A", cost=cost)
            store.batches.end(batch, number, record.go, result)
    return batch


def test_every_form_of_a_batch_can_be_written(made: BatchId, tmp_path: Path, capsys: Told) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for format, how in BATCH_FORMATS.items():
        assert main(["export", made, "--format", format, "--output", str(out)]) == 0
        path = Path(capsys.readouterr().out.strip())
        assert path.parent == out
        assert path.name.startswith("reviews-")
        assert path.name.endswith(how.ending)
        assert path.stat().st_size > 100
    with next(out.glob("*.csv")).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["topic"] for row in rows] == [f"topic {n}" for n in range(1, 5)]
    assert rows[0]["fanout_answer"] == "'=A"
    assert rows[3]["fanout_state"] == "waiting"


@pytest.mark.usefixtures("made")
def test_the_newest_batch_needs_no_id(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert main(["export", "last-batch", "--format", "jsonl", "--output", str(path)]) == 0
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["cost_usd"] for line in lines] == [0.5, 0.5, 0.5, None]


def test_a_form_that_a_batch_or_a_run_has_not_is_refused(
    made: BatchId, tmp_path: Path, capsys: Told
) -> None:
    assert main(["export", made, "--format", "docx", "--output", str(tmp_path)]) == 2
    assert "csv, xlsx, jsonl, parquet, html or md" in capsys.readouterr().err
    assert main(["export", "last", "--format", "parquet", "--output", str(tmp_path)]) == 2
    assert "That form is for batches" in capsys.readouterr().err
    assert list(tmp_path.glob("*.*")) == []


@pytest.mark.usefixtures("fanout_home")
def test_where_there_is_no_batch_yet_it_says_how_to_make_one(capsys: Told) -> None:
    assert main(["export", "last-batch", "--format", "csv"]) == 2
    assert "There are no batches yet" in capsys.readouterr().err
