"""How far a batch is, counted by the database in a few questions."""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, case, func, select

from fanout.batches import FailureGroup, Progress, RowState
from fanout.store.database import reading
from fanout.store.rows import short
from fanout.store.schema_batches import batch_rows as rows
from fanout.store.schema_batches import batches
from fanout.store.spend import booked_for
from fanout.types import BatchId, FailureKind, Via

NEWEST = 100
"""Ends from which the rate is told."""
RECENT_S = 600.0
"""Older ends say nothing about the rate of now."""
FIRST = 5
"""Numbers that a group of failures names."""
_COUNTED = [state.value for state in RowState if state.finished and state is not RowState.SKIPPED]


def progress(engine: Engine, batch: BatchId) -> Progress:
    """As it is now, in one consistent picture."""
    at = time.time()
    with reading(engine) as connection:
        own = select(batches.c.number, batches.c.via, batches.c.running_since)
        known = connection.execute(own.where(batches.c.id == short(batch, 64))).one_or_none()
        number, via, since = known or (0, Via.CALLS, None)
        found = connection.execute(
            select(
                rows.c.state,
                func.count(),
                func.coalesce(func.sum(rows.c.cost_nano), 0),
                func.count(rows.c.cost_nano),
                func.coalesce(func.sum(rows.c.input_tokens + rows.c.output_tokens), 0),
                func.sum(case((rows.c.estimated, 1), else_=0)),
            )
            .where(rows.c.batch == number)
            .group_by(rows.c.state)
        ).all()
        recent, recent_s = _recent(connection, number, at, since)
        booked = booked_for(connection, batch, at)
        failures = _failures(connection, number)
    return Progress(
        at=at,
        counts={RowState(state): int(count) for state, count, *_ in found},
        cost_nano=sum(int(cost) for _, _, cost, *_ in found),
        unknown_costs=sum(
            int(count) - int(known) for state, count, _, known, *_ in found if state in _COUNTED
        ),
        estimated_costs=sum(int(estimated) for *_, estimated in found),
        tokens=sum(int(tokens) for *_, tokens, _ in found),
        recent=recent,
        recent_s=recent_s,
        failures=failures,
        via=Via(via),
        booked_nano=None if booked is None else booked[0],
        booked_tokens=None if booked is None else booked[1],
    )


def _recent(
    connection: Connection, batch: int, at: float, since: float | None
) -> tuple[int, float]:
    """How many rows ended within how many seconds: since the batch went on or their own first
    beginning; where that is long ago, since the first of the newest ends."""
    oldest = at - RECENT_S
    went_on = since is not None and since > oldest
    first = since if since is not None and went_on else oldest
    found = connection.execute(
        select(rows.c.finished_at, rows.c.started_at)
        .where(rows.c.batch == batch, rows.c.finished_at >= first)
        .order_by(rows.c.finished_at.desc())
        .limit(NEWEST + 1)
    ).all()
    if len(found) < 2:
        return len(found), at - first
    if went_on and len(found) <= NEWEST:
        # A worker may have come only some time after that.
        began = max(first, min(one.started_at or first for one in found))
        return len(found), max(at - began, 0.001)
    # The first one only marks where the time begins.
    return len(found) - 1, max(at - found[-1].finished_at, 0.001)


def _failures(connection: Connection, batch: int) -> tuple[FailureGroup, ...]:
    """By cause, the most frequent first."""
    lacking = [state.value for state in RowState if state.lacks]
    failed = (rows.c.batch == batch, rows.c.state.in_(lacking))
    counted = connection.execute(
        select(rows.c.cause, func.count()).where(*failed).group_by(rows.c.cause)
    ).all()
    groups = []
    for cause, count in sorted(counted, key=lambda one: (-one[1], one[0] or "")):
        own = (*failed, rows.c.cause.is_(None) if cause is None else rows.c.cause == cause)
        newest = select(rows.c.message).where(*own).order_by(rows.c.finished_at.desc()).limit(1)
        first = select(rows.c.number).where(*own).order_by(rows.c.number).limit(FIRST)
        groups.append(
            FailureGroup(
                cause=None if cause is None else FailureKind(cause),
                message=str(connection.execute(newest).scalar() or ""),
                count=int(count),
                rows=tuple(connection.execute(first).scalars()),
            )
        )
    return tuple(groups)
