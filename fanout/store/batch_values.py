"""Batches and their rows as they stand in the tables, and back again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from fanout.batches import Batch, BatchState, NewBatch, Row, RowRecord, RowResult, RowState
from fanout.people import PersonId
from fanout.policies import Budget
from fanout.store.rows import NANO, cleaned, short
from fanout.types import BatchId, Cost, EndpointId, FailureKind, ModelRef, Price, RunId, Via

Columns = dict[str, object]
FREE = Price(input=Decimal(0), output=Decimal(0), source="on this machine")
SUMMED = Price(input=Decimal(0), output=Decimal(0), source="the prices of its calls")
_MOST = 2**62


def batch_columns(new: NewBatch) -> Columns:
    """What was decided before the start; the rest of the table's columns is how it stands."""
    return {
        "title": cleaned(new.title),
        "workflow": short(new.workflow, 80),
        "definition": _json(new.definition),
        "endpoint": short(new.model.endpoint, 80),
        "model": cleaned(new.model.model),
        "columns": json.dumps([cleaned(name) for name in new.columns], ensure_ascii=False),
        "topic_column": cleaned(new.topic_column),
        "concurrency": max(1, new.concurrency),
        "rows_per_minute": new.rows_per_minute,
        "via": new.via.value,
        "estimate": _json(new.estimate),
        "places": _json({str(id): at for id, at in new.places.items()}),
        "person": short(new.person, 64),
        **budget_columns(new.budget),
    }


def budget_columns(budget: Budget) -> Columns:
    """None has no cap."""
    return {"cap_nano": _nano(budget.usd), "cap_tokens": budget.tokens}


def batch_of(found: RowMapping) -> Batch:
    """A batch as its row in the table says."""
    return Batch(
        id=BatchId(found["id"]),
        title=found["title"],
        workflow=found["workflow"],
        definition=_mapping(found["definition"]),
        model=ModelRef(endpoint=EndpointId(found["endpoint"]), model=found["model"]),
        columns=tuple(str(name) for name in json.loads(found["columns"])),
        topic_column=found["topic_column"],
        concurrency=found["concurrency"],
        rows_per_minute=found["rows_per_minute"],
        budget=Budget(usd=_usd(found["cap_nano"]), tokens=found["cap_tokens"]),
        via=Via(found["via"]),
        person=PersonId(found["person"]),
        estimate=_mapping(found["estimate"]),
        places={EndpointId(id): str(at) for id, at in _mapping(found["places"]).items()},
        state=BatchState(found["state"]),
        why=found["why"],
        format=found["format"],
        made_by=found["made_by"],
        created_at=found["created_at"],
        started_at=found["started_at"],
        finished_at=found["finished_at"],
        changed=found["changed"],
    )


def row_columns(number: int, row: Row) -> Columns:
    """A row as it stands before its first go."""
    values = {cleaned(name): cleaned(value) for name, value in row.values.items()}
    return {
        "number": number,
        "topic": cleaned(row.topic),
        "values": _json(values),
        "line": row.line,
        "skipped": cleaned(row.skipped),
        "state": (RowState.SKIPPED if row.skipped else RowState.WAITING).value,
    }


def result_columns(result: RowResult) -> Columns:
    """What became of a row."""
    columns: Columns = {
        "state": result.state.value,
        "cause": None if result.cause is None else result.cause.value,
        "message": cleaned(result.message),
        "answer": cleaned(result.answer),
        "verdict": None if result.verdict is None else cleaned(result.verdict),
        "agreement": result.agreement,
        "measures": _json(result.measures),
        "cost_nano": None if result.cost is None else _nano(result.cost.usd),
        "free": result.cost is not None and result.cost.price.free and not result.cost.usd,
        "estimated": result.cost is not None and result.cost.estimated,
        "input_tokens": _whole(result.input_tokens),
        "output_tokens": _whole(result.output_tokens),
        "wall_s": result.wall_s,
        "sequential_s": result.sequential_s,
        "branches": result.branches,
        "failed": result.failed,
    }
    if result.run_id is not None:
        columns["run"] = short(result.run_id, 64)
    return columns


def record_of(found: RowMapping) -> RowRecord:
    """A row with what is known of it; no result where it hasn't ended."""
    state = RowState(found["state"])
    values = {name: str(value) for name, value in _mapping(found["values"]).items()}
    return RowRecord(
        row=Row(
            number=found["number"],
            topic=found["topic"],
            values=values,
            line=found["line"],
            skipped=found["skipped"],
        ),
        state=state,
        go=found["go"],
        tries=found["tries"],
        worker=found["worker"],
        run_id=_run(found["run"]),
        started_at=found["started_at"],
        finished_at=found["finished_at"],
        result=_result(found, state) if state.finished and state is not RowState.SKIPPED else None,
    )


def _result(found: RowMapping, state: RowState) -> RowResult:
    return RowResult(
        state=state,
        run_id=_run(found["run"]),
        cause=None if found["cause"] is None else FailureKind(found["cause"]),
        message=found["message"],
        answer=found["answer"],
        verdict=found["verdict"],
        agreement=found["agreement"],
        measures={name: float(str(value)) for name, value in _mapping(found["measures"]).items()},
        cost=_cost(found),
        input_tokens=found["input_tokens"],
        output_tokens=found["output_tokens"],
        wall_s=found["wall_s"],
        sequential_s=found["sequential_s"],
        branches=found["branches"],
        failed=found["failed"],
    )


def _cost(found: RowMapping) -> Cost | None:
    usd = _usd(found["cost_nano"])
    if usd is None:
        return None
    return Cost(usd=usd, price=FREE if found["free"] else SUMMED, estimated=found["estimated"])


def _usd(amount: int | None) -> Decimal | None:
    return None if amount is None else Decimal(int(amount)) / NANO


def _nano(usd: Decimal | None) -> int | None:
    if usd is None or not usd.is_finite():
        return None
    return max(0, min(int((usd * NANO).to_integral_value()), _MOST))


def _run(found: str | None) -> RunId | None:
    return None if found is None else RunId(found)


def _whole(number: int) -> int:
    return max(0, min(number, _MOST))


def _json(value: Mapping[str, object]) -> str:
    return cleaned(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    """Read-only mappings and tuples as JSON knows them."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no plain JSON")


def _mapping(written: str) -> dict[str, Any]:
    found = json.loads(written)
    return found if isinstance(found, dict) else {}
