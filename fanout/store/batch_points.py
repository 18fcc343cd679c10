"""The figures of a batch's rows without their texts: light enough to count 100,000 of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, case, select

from fanout.batches import RowState
from fanout.store.batch_rows import number_of
from fanout.store.database import reading
from fanout.store.schema_batches import batch_rows as rows
from fanout.types import BatchId, FailureKind

PORTION = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPoint:
    number: int
    state: RowState
    cause: FailureKind | None = None
    message: str = ""
    """Of a row that failed or lacks a branch; "" for all others."""
    verdict: str | None = None
    agreement: float | None = None
    cost_nano: int | None = None
    """None is unknown, or the row hasn't ended; 0 is free."""
    estimated: bool = False
    """The cost comes from an estimated usage."""
    tokens: int = 0
    """Input and output together."""
    input_tokens: int = 0
    wall_s: float = 0.0
    sequential_s: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    tries: int = 0


def points(engine: Engine, batch: BatchId) -> Iterator[RowPoint]:
    """Every row in order, read in portions; StoreError where the database can't be read."""
    failed = rows.c.state.in_([state.value for state in RowState if state.lacks])
    columns = (
        rows.c.number, rows.c.state, rows.c.cause, case((failed, rows.c.message), else_=""),
        rows.c.verdict, rows.c.agreement, rows.c.cost_nano,
        rows.c.input_tokens + rows.c.output_tokens, rows.c.input_tokens, rows.c.wall_s,
        rows.c.sequential_s, rows.c.started_at, rows.c.finished_at, rows.c.tries, rows.c.estimated,
    )  # fmt: skip
    after = 0
    while True:
        with reading(engine) as connection:
            found = connection.execute(
                select(*columns)
                .where(rows.c.batch == number_of(batch))
                .where(rows.c.number > after)
                .order_by(rows.c.number)
                .limit(PORTION)
            ).all()
        for number, state, cause, message, verdict, agreement, cost, *rest in found:
            tokens, read, wall, sequential, started, finished, tries, estimated = rest
            yield RowPoint(
                number=number,
                state=RowState(state),
                cause=None if cause is None else FailureKind(cause),
                message=message,
                verdict=verdict,
                agreement=agreement,
                cost_nano=None if cost is None else int(cost),
                estimated=estimated,
                tokens=int(tokens),
                input_tokens=int(read),
                wall_s=wall,
                sequential_s=sequential,
                started_at=started,
                finished_at=finished,
                tries=tries,
            )
        if len(found) < PORTION:
            return
        after = found[-1][0]
