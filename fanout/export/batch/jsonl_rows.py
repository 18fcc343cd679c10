"""Rows as JSON, one object a line: what was read under "values", so that no name is in the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import IO

from fanout.batches import Batch, RowRecord, RowResult, RowState
from fanout.export.batch.fields import cost_estimated, cost_known, cost_usd, finite, iso, kept


def write_jsonl(_batch: Batch, rows: Iterable[RowRecord], target: IO[bytes]) -> int:
    """In UTF-8; how many rows. Times are ISO 8601 in UTC, money is US dollars."""
    number = 0
    for record in rows:
        number += 1
        line = json.dumps(row_object(record), ensure_ascii=False, allow_nan=False)
        target.write(kept(line).encode("utf-8") + b"\n")
    return number


def row_object(record: RowRecord) -> dict[str, object]:
    row, result = record.row, record.result
    return {
        "row": row.number,
        "topic": kept(row.topic),
        "values": {kept(name): kept(value) for name, value in row.values.items()},
        "line": row.line,
        "state": record.state.value,
        "skipped": kept(row.skipped) or None,
        **(_NOTHING if result is None else _result(result)),
        "started_at": None if record.started_at is None else iso(record.started_at),
        "finished_at": None if record.finished_at is None else iso(record.finished_at),
        "tries": record.tries,
        "worker": record.worker or None,
        "run_id": record.run_id,
    }


def _result(result: RowResult) -> dict[str, object]:
    usd = cost_usd(result)
    failure = {"kind": result.cause, "message": kept(result.message)}
    return {
        "verdict": None if result.verdict is None else kept(result.verdict),
        "agreement": None if result.agreement is None else finite(result.agreement),
        "answer": kept(result.answer) or None,
        "failure": failure if result.cause or result.message else None,
        "measures": {name: finite(value) for name, value in result.measures.items()},
        "branches": result.branches,
        "branches_failed": result.failed,
        "wall_s": finite(result.wall_s),
        "sequential_s": finite(result.sequential_s),
        "cost_usd": None if usd is None else float(round(usd, 9)),
        "cost_known": cost_known(result),
        "cost_estimated": cost_estimated(result),
        "input_tokens": result.input_tokens,
        "output_tokens": result.output_tokens,
    }


_NOTHING: Mapping[str, object] = dict.fromkeys(_result(RowResult(state=RowState.FAILED)))
