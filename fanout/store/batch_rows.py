"""Rows of batches: handed out to one process each, ended once, and read page by page.

A row is handed out anew with every go. Whoever comes late with an earlier go is told so, and
changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Engine, case, exists, func, or_, select, update

from fanout.batches import HELD, Row, RowRecord, RowResult, RowState
from fanout.store.batch_values import record_of, result_columns, row_columns
from fanout.store.database import reading
from fanout.store.rows import cleaned, short
from fanout.store.schema_batches import batch_rows as rows
from fanout.store.schema_batches import batches, workers
from fanout.types import FailureKind, RunId

PORTION = 500
"""Rows read or written at once where there may be a million."""
_OPEN = [state.value for state in RowState if not state.finished]
_HANDED_OUT = [RowState.QUEUED.value, RowState.RUNNING.value]
_ORDERS: dict[str, ColumnElement[object]] = {
    "number": rows.c.number,
    "finished_at": rows.c.finished_at,
    "cost": rows.c.cost_nano,
    "wall": rows.c.wall_s,
    "agreement": rows.c.agreement,
}


def put(connection: Connection, batch: int, new: Iterator[Row], first: int) -> int:
    """Append them, numbered from `first` on; how many."""
    number = first
    portion: list[dict[str, object]] = []
    for row in new:
        portion.append({"batch": batch, **row_columns(number, row)})
        number += 1
        if len(portion) == PORTION:
            connection.execute(rows.insert(), portion)
            portion = []
    if portion:
        connection.execute(rows.insert(), portion)
    return number - first


def last(connection: Connection, batch: int) -> int:
    """The highest number of its rows; 0 without any."""
    found = connection.execute(select(func.max(rows.c.number)).where(rows.c.batch == batch))
    return int(found.scalar() or 0)


def take(connection: Connection, batch: int, most: int) -> tuple[RowRecord, ...]:
    """Mark waiting rows as queued; rows that another process is taking are left to it."""
    chosen = (
        select(rows.c.number)
        .where(rows.c.batch == batch, rows.c.state == RowState.WAITING.value)
        .order_by(rows.c.number)
        .limit(max(0, most))
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    taken = connection.execute(
        update(rows)
        .where(rows.c.batch == batch, rows.c.number.in_(select(chosen.c.number)))
        .values(state=RowState.QUEUED.value, go=rows.c.go + 1, worker="")
        .returning(*rows.c)
    ).mappings()
    return tuple(sorted(map(record_of, taken), key=lambda one: one.row.number))


def begin(
    connection: Connection,
    batch: int,
    number: int,
    go: int,
    run_id: RunId,
    worker: str,
    anew: bool = False,
) -> RowRecord | None:
    """The row as it goes on with the run of an earlier go or with `run_id`; None where this go is
    over."""
    own = short(run_id, 64)
    begun = connection.execute(
        update(rows)
        .where(*_own(batch, number, go))
        .values(
            state=RowState.RUNNING.value,
            worker=short(worker, 64),
            run=own if anew else func.coalesce(rows.c.run, own),
            # Who has it already only looks again, as after a database that was away.
            tries=rows.c.tries + case((_in_hand_of(worker), 0), else_=1),
            started_at=time.time(),
            finished_at=None,
        )
        .returning(*rows.c)
    )
    found = begun.mappings().first()
    return None if found is None else record_of(found)


def handed_out(engine: Engine, batch: str) -> dict[tuple[RowState, str], int]:
    """How many rows are queued or running, by state and worker."""
    asked = (rows.c.batch == number_of(batch), rows.c.state.in_(_HANDED_OUT))
    counted = select(rows.c.state, rows.c.worker, func.count()).where(*asked)
    with reading(engine) as connection:
        found = connection.execute(counted.group_by(rows.c.state, rows.c.worker))
        return {(RowState(state), worker): int(count) for state, worker, count in found}


def give_back(
    connection: Connection, batch: int, numbers: Sequence[int], go: int | None = None
) -> int:
    """Rows in hand are waiting again; how many."""
    asked = [
        rows.c.batch == batch,
        rows.c.number.in_(list(numbers)),
        rows.c.state.in_(_HANDED_OUT),
    ]
    if go is not None:
        asked.append(rows.c.go == go)
    waiting = {"state": RowState.WAITING.value, "worker": ""}
    return connection.execute(update(rows).where(*asked).values(waiting)).rowcount


def end(connection: Connection, batch: int, number: int, go: int, result: RowResult) -> bool:
    """Write what became of a row; False where another go has it, or it has ended already."""
    worker = connection.execute(
        update(rows)
        .where(*_own(batch, number, go))
        .values(result_columns(result) | {"finished_at": time.time()})
        .returning(rows.c.worker)
    ).scalar()
    if worker is None:
        return False
    connection.execute(
        update(workers).where(workers.c.id == worker).values(done=workers.c.done + 1)
    )
    return True


def left(connection: Connection, batch: int) -> bool:
    """Whether any row has yet to end."""
    return any_of(connection, batch, _OPEN)


def any_of(connection: Connection, batch: int, states: Collection[str]) -> bool:
    """Whether any row is in one of those states."""
    found = exists().where(rows.c.batch == batch, rows.c.state.in_(list(states)))
    return bool(connection.execute(select(found)).scalar())


def return_queued(connection: Connection, batch: int) -> None:
    """What nobody has begun is waiting again: the batch was paused or stopped."""
    queued = (rows.c.batch == batch, rows.c.state == RowState.QUEUED.value)
    connection.execute(update(rows).where(*queued).values(state=RowState.WAITING.value))


def again(connection: Connection, batch: int, states: Collection[RowState]) -> int:
    """Rows that ended in those states are waiting again. What they cost so far stays counted."""
    ended = [state.value for state in states if state.finished]
    waiting = {
        "state": RowState.WAITING.value,
        "finished_at": None,
        "cause": None,
        "message": "",
        "skipped": "",
    }
    asked = (rows.c.batch == batch, rows.c.state.in_(ended))
    return connection.execute(update(rows).where(*asked).values(waiting)).rowcount


def goes(engine: Engine, batch: str, states: Collection[RowState]) -> tuple[tuple[int, int], ...]:
    """Number and go of all rows in those states, without their texts."""
    asked = (rows.c.batch == number_of(batch), rows.c.state.in_([one.value for one in states]))
    with reading(engine) as connection:
        found = connection.execute(select(rows.c.number, rows.c.go).where(*asked))
        return tuple((number, go) for number, go in found)


def page(
    engine: Engine,
    asked: Sequence[ColumnElement[bool]],
    order: str,
    descending: bool,
    offset: int,
    limit: int,
) -> tuple[RowRecord, ...]:
    """Rows in an order in which no two are equal; those without a figure come last."""
    key = _ORDERS.get(order, rows.c.number)
    turned = key.desc() if descending else key.asc()
    keys = [turned] if key is rows.c.number else [turned.nulls_last(), rows.c.number]
    found = select(rows).where(*asked).order_by(*keys)
    with reading(engine) as connection:
        wanted = connection.execute(found.offset(max(0, offset)).limit(max(0, limit)))
        return tuple(map(record_of, wanted.mappings()))


def count(engine: Engine, asked: Sequence[ColumnElement[bool]]) -> int:
    """How many rows those conditions leave."""
    with reading(engine) as connection:
        counted = select(func.count()).select_from(rows).where(*asked)
        return int(connection.execute(counted).scalar_one())


def each(engine: Engine, batch: str) -> Iterator[RowRecord]:
    """Every row in order, a portion in memory at a time."""
    after = 0
    while True:
        asked = (rows.c.batch == number_of(batch), rows.c.number > after)
        found = page(engine, asked, "number", False, 0, PORTION)
        yield from found
        if len(found) < PORTION:
            return
        after = found[-1].row.number


def held(batch: str) -> list[ColumnElement[bool]]:
    """The conditions on rows of a batch that are held back for a trial."""
    skipped = RowState.SKIPPED.value
    own = rows.c.batch == number_of(batch)
    return [own, rows.c.state == skipped, rows.c.skipped == HELD]


def release(connection: Connection, batch: int) -> int:
    """Rows that were held back are waiting; how many."""
    asked = (
        rows.c.batch == batch,
        rows.c.state == RowState.SKIPPED.value,
        rows.c.skipped == HELD,
    )
    waiting = {"state": RowState.WAITING.value, "skipped": ""}
    return connection.execute(update(rows).where(*asked).values(waiting)).rowcount


def asked_for(
    batch: str,
    states: Collection[RowState] = (),
    search: str = "",
    cause: FailureKind | None = None,
) -> list[ColumnElement[bool]]:
    """The conditions on rows of a batch; the text is looked for in topics and answers."""
    found: list[ColumnElement[bool]] = [rows.c.batch == number_of(batch)]
    if states:
        found.append(rows.c.state.in_([state.value for state in states]))
    if cause is not None:
        found.append(rows.c.cause == cause.value)
    if sought := cleaned(search).strip().lower():
        texts = (func.lower(rows.c.topic), func.lower(rows.c.answer))
        found.append(or_(*(text.contains(sought, autoescape=True) for text in texts)))
    return found


def number_of(batch: str) -> ColumnElement[int]:
    """Its number in the tables, as part of a question."""
    return select(batches.c.number).where(batches.c.id == short(batch, 64)).scalar_subquery()


def _in_hand_of(worker: str) -> ColumnElement[bool]:
    return (rows.c.state == RowState.RUNNING.value) & (rows.c.worker == short(worker, 64))


def _own(batch: int, number: int, go: int) -> tuple[ColumnElement[bool], ...]:
    return (
        rows.c.batch == batch,
        rows.c.number == number,
        rows.c.go == go,
        rows.c.state.in_(_HANDED_OUT),
    )
