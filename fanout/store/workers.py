"""The processes that take rows of batches: who they are, whether they live, what they have done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, delete, extract, func, select, update

from fanout.batches import BatchState, RowState, WorkerSeen
from fanout.store.database import insert, reading, writing
from fanout.store.rows import cleaned, short
from fanout.store.schema_batches import batch_rows, batches, workers

Alive = Callable[[Connection, str], bool]
"""Whether the process of that id is still there."""

SILENT_S = 60.0
"""Who wasn't heard of for so long takes no rows any more."""
SHOWN_S = 3600.0
"""For so long a worker that went is still told of."""
_OPEN = [state.value for state in BatchState if state is not BatchState.FINISHED]


def beat(engine: Engine, worker: WorkerSeen) -> None:
    """Write down that it lives, and forget those that went long ago."""
    row = {
        "id": short(worker.id, 64),
        "host": cleaned(worker.host),
        "pid": worker.pid,
        "version": short(worker.version, 40),
        "format": worker.format,
        "started_at": worker.started_at,
    }
    leaves = {"leaves": cleaned(json.dumps(dict(worker.leaves), ensure_ascii=False))}
    with writing(engine) as connection:
        seen = now(connection)
        statement = insert(connection, workers).values(row | leaves | {"seen_at": seen})
        again = leaves | {"seen_at": seen}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=again))
        connection.execute(delete(workers).where(workers.c.seen_at < seen - SHOWN_S))


def leave(engine: Engine, worker: str) -> None:
    """It takes no rows any more, although its process may live on."""
    with writing(engine) as connection:
        left = now(connection) - SILENT_S
        own = (workers.c.id == worker, workers.c.seen_at > left)
        connection.execute(update(workers).where(*own).values(seen_at=left))


def seen(engine: Engine, alive: Alive | None) -> tuple[WorkerSeen, ...]:
    """Those that live, and those that went within the last hour; newest first."""
    with reading(engine) as connection:
        at = now(connection)
        found = connection.execute(
            select(workers)
            .where(workers.c.seen_at >= at - SHOWN_S)
            .order_by(workers.c.started_at.desc(), workers.c.id)
        ).all()
        busy = _busy(connection)
        return tuple(
            WorkerSeen(
                id=each.id,
                host=each.host,
                pid=each.pid,
                version=each.version,
                format=each.format,
                started_at=each.started_at,
                seen_at=each.seen_at,
                alive=at - each.seen_at < SILENT_S
                and (alive is None or alive(connection, each.id)),
                rows=busy.get(each.id, 0),
                done=each.done,
                leaves=json.loads(each.leaves),
            )
            for each in found
        )


def _busy(connection: Connection) -> dict[str, int]:
    """Rows that each worker has in hand; looked for in batches that may have any."""
    open_ones = select(batches.c.number).where(batches.c.state.in_(_OPEN))
    found = connection.execute(
        select(batch_rows.c.worker, func.count())
        .where(batch_rows.c.batch.in_(open_ones), batch_rows.c.state == RowState.RUNNING.value)
        .group_by(batch_rows.c.worker)
    )
    return {str(worker): int(count) for worker, count in found}


def now(connection: Connection) -> float:
    """Unix time, by the one clock that all processes of a database share."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(connection.execute(select(extract("epoch", func.clock_timestamp()))).scalar_one())
