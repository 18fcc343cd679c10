"""Counts and sums over runs: what there is to filter by, and what each day brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Row,
    case,
    cast,
    distinct,
    func,
    literal_column,
    select,
    text,
)

from fanout.people import PersonId
from fanout.store import searching
from fanout.store.filters import conditions
from fanout.store.labels import owned
from fanout.store.rows import NANO
from fanout.store.schema import calls, runs, tags
from fanout.store.values import DayTotal, Facets, Question

DAY_S = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH).days


def facets(connection: Connection, person: PersonId | None = None) -> Facets:
    """Of all runs, or all of a person's, but the deleted ones."""
    return Facets(
        workflows=_counted(connection, runs.c.workflow, person),
        models=_counted_beside(connection, calls.c.model, calls.c.run, person),
        statuses=_counted(connection, runs.c.status, person),
        tags=_counted_beside(connection, tags.c.tag, tags.c.run, person),
    )


def days(connection: Connection, question: Question) -> tuple[DayTotal, ...]:
    """Oldest first, days without a run left out."""
    fits = conditions(question) + searching.everywhere(connection, question.text)
    day = _floor(runs.c.started_at / literal_column(str(DAY_S), Double)).label("day")
    rows = connection.execute(
        select(
            day,
            func.count(),
            func.sum(runs.c.wall_s),
            func.sum(runs.c.sequential_s),
            func.sum(runs.c.cost_nano),
            func.count(runs.c.cost_nano),
        )
        .where(*fits)
        .group_by(text("day"))
    )
    return tuple(
        DayTotal(
            day=_date(number),
            runs=count,
            wall_s=float(wall_s),
            sequential_s=float(sequential_s),
            cost_usd=Decimal(int(nano or 0)) / NANO,
            unknown_cost=count - known,
        )
        for number, count, wall_s, sequential_s, nano, known in sorted(rows)
    )


def _counted(
    connection: Connection, column: Column[str], person: PersonId | None
) -> tuple[tuple[str, int], ...]:
    shown = (runs.c.deleted_at.is_(None), *owned(person))
    rows = connection.execute(select(column, func.count()).where(*shown).group_by(column))
    return _most_first(_counts(rows))


def _counted_beside(
    connection: Connection, column: Column[str], run: Column[int], person: PersonId | None
) -> tuple[tuple[str, int], ...]:
    """How many runs each; the deleted ones are few, so they are counted by themselves."""
    of_all = select(column, func.count(distinct(run))).group_by(column)
    if person is not None:
        shown = select(runs.c.number).where(runs.c.deleted_at.is_(None), *owned(person))
        return _most_first(_counts(connection.execute(of_all.where(run.in_(shown)))))
    gone = select(runs.c.number).where(runs.c.deleted_at.is_not(None))
    counts = _counts(connection.execute(of_all))
    counts.subtract(_counts(connection.execute(of_all.where(run.in_(gone)))))
    return _most_first(counts)


def _counts(rows: Iterable[Row[str, int]]) -> Counter[str]:
    return Counter({name: count for name, count in rows})  # noqa: C416


def _most_first(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    found = ((name, count) for name, count in counts.items() if count > 0)
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def _floor(value: ColumnElement[float | Decimal]) -> ColumnElement[int]:
    """SQLite's cast cuts off, PostgreSQL's rounds, and not every SQLite has floor()."""
    near = cast(value, BigInteger)
    return near - case((near > value, literal_column("1")), else_=literal_column("0"))


def _date(day: int) -> str:
    """Years past what a date can hold, as a strange import may have, count as its last day."""
    return (_EPOCH + timedelta(days=min(max(day, -700_000), _LAST))).strftime("%Y-%m-%d")
