"""Finds runs among all that were ever made, sums them up, labels and deletes them.

A list is answered in two steps: which runs are on this page, from the indexes alone, and then what
they say. So a page costs the same in a hundred runs and in a hundred thousand.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, delete, func, select, update

from fanout.people import PersonId
from fanout.store import labels, searching, totals
from fanout.store.database import reading, writing
from fanout.store.excerpts import excerpt
from fanout.store.filters import conditions, ordered
from fanout.store.provider_requests import forget_runs
from fanout.store.rows import NANO, short
from fanout.store.schema import calls, runs, timeline
from fanout.store.schema import tags as tag_rows
from fanout.store.searching import Phrase, Sought
from fanout.store.values import DayTotal, Facets, Found, Label, Question, RunRow
from fanout.types import RunId, RunStatus

PAGE = 1000
"""Rows of one page at most, whatever is asked for."""
COUNTED = 10_000
"""Where counting stops among runs found by a text that very many hold."""
AT_ONCE = 200
"""Runs that one transaction removes for good."""
MERGED = 500
"""Pages of the text index that one transaction rewrites."""
_FURTHEST = 2**31 - 1


class History:
    """All methods raise StoreError where the database can't be used, and may be called from any
    thread."""

    def __init__(self, engine: Engine, person: PersonId | None = None) -> None:
        """`person`: only their runs are found and changed; None: everybody's."""
        self._engine = engine
        self._person = person

    def find(self, question: Question) -> Found:
        """One page of the runs that fit, and how many fit in all.

        Among workflows, models, statuses and tags, one of those named is enough. A text that was
        found in more than 10,000 runs is not counted to its end: see `Found.at_least`.
        """
        question = self._own(question)
        with reading(self._engine) as connection:
            sought = searching.sought(connection, question.text)
            numbers = _page(connection, question, sought)
            total, at_least = _total(connection, question, sought)
            rows = _rows(connection, numbers, sought.phrases if sought else ())
        return Found(rows=rows, total=total, at_least=at_least)

    def facets(self) -> Facets:
        """Over all runs but the deleted ones."""
        with reading(self._engine) as connection:
            return totals.facets(connection, self._person)

    def days(self, question: Question) -> tuple[DayTotal, ...]:
        """Sums over all runs that fit, whatever the page, oldest day first; days without a run are
        left out."""
        with reading(self._engine) as connection:
            return totals.days(connection, self._own(question))

    def label(self, run_id: str, label: Label) -> None:
        """Replace name, notes, tags and star; they can be searched at once. InputError where one
        is too long, or the run is gone."""
        tidied = labels.tidied(label)
        with writing(self._engine) as connection:
            labels.put(connection, run_id, tidied, self._person)

    def label_of(self, run_id: str) -> Label:
        """An empty label where there is no such run."""
        with reading(self._engine) as connection:
            return labels.of(connection, run_id, self._person)

    def tags(self) -> tuple[str, ...]:
        """Every tag in use, the most used first."""
        with reading(self._engine) as connection:
            return labels.used(connection, self._person)

    def delete(self, ids: Iterable[str]) -> None:
        """Out of every list and sum, until `restore`; nothing is removed."""
        self._mark(ids, runs.c.deleted_at.is_(None), time.time())

    def restore(self, ids: Iterable[str]) -> None:
        """Undo `delete`."""
        self._mark(ids, runs.c.deleted_at.is_not(None), None)

    def purge(self, before: float) -> int:
        """Remove for good what was deleted before that Unix time, with all its texts; how many runs
        that were. In short transactions, so that nobody who writes has to wait for it."""
        removed = 0
        while count := self._purge_some(before):
            removed += count
        left = removed > 0
        while left:
            with writing(self._engine) as connection:
                left = searching.tidy(connection, MERGED)
        return removed

    def _purge_some(self, before: float) -> int:
        gone = (runs.c.deleted_at < before, *labels.owned(self._person))
        old = select(runs.c.number, runs.c.id).where(*gone).limit(AT_ONCE)
        with writing(self._engine) as connection:
            found = connection.execute(old.with_for_update()).all()
            numbers = [run.number for run in found]
            forget_runs(connection, [run.id for run in found])
            for run in (timeline.c.run, calls.c.run, tag_rows.c.run, runs.c.number):
                connection.execute(delete(run.table).where(run.in_(numbers)))
        return len(numbers)

    def _mark(self, ids: Iterable[str], now: ColumnElement[bool], deleted_at: float | None) -> None:
        names = [short(id, 64) for id in ids]
        with writing(self._engine) as connection:
            for start in range(0, len(names), PAGE):
                named = runs.c.id.in_(names[start : start + PAGE])
                own = (named, now, *labels.owned(self._person))
                connection.execute(update(runs).where(*own).values(deleted_at=deleted_at))

    def _own(self, question: Question) -> Question:
        return question if self._person is None else replace(question, person=self._person)


def _page(connection: Connection, question: Question, sought: Sought | None) -> list[int]:
    fits = conditions(question, page=True) + ([sought.condition] if sought else [])
    asked = (
        select(runs.c.number)
        .where(*fits)
        .order_by(*ordered(question.order, question.descending))
        .limit(min(max(question.limit, 0), PAGE))
        .offset(min(max(question.offset, 0), _FURTHEST))
    )
    return list(connection.execute(asked).scalars())


def _total(connection: Connection, question: Question, sought: Sought | None) -> tuple[int, bool]:
    """How many fit, and whether there may be more than were counted."""
    fits = conditions(question)
    if sought is None or sought.first is None:
        fits += [sought.condition] if sought else []
        counted = select(func.count()).select_from(runs).where(*fits)
        return int(connection.execute(counted).scalar_one()), False
    # Without another filter, the first hits are enough to know.
    fits.append(sought.first if len(fits) == 1 else sought.condition)
    some = select(runs.c.number).where(*fits).limit(COUNTED + 1).subquery()
    found = int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return min(found, COUNTED), found > COUNTED or len(fits) == 2


def _rows(
    connection: Connection, numbers: Sequence[int], phrases: Sequence[Phrase]
) -> tuple[RunRow, ...]:
    """In the order of the numbers."""
    if not numbers:
        return ()
    found = connection.execute(select(runs).where(runs.c.number.in_(numbers))).mappings()
    by_number = {row["number"]: row for row in found}
    columns = [calls.c.run, calls.c.model] + ([calls.c.text] if phrases else [])
    models: dict[int, dict[str, None]] = {}
    texts: dict[int, list[str]] = {}
    asked = select(*columns).where(calls.c.run.in_(numbers)).order_by(calls.c.run, calls.c.ordinal)
    for call in connection.execute(asked):
        models.setdefault(call.run, {})[call.model] = None
        if phrases:
            texts.setdefault(call.run, []).append(call.text)
    tagged = labels.tags_of(connection, numbers)
    return tuple(
        _row(
            by_number[number],
            tuple(models.get(number, ())),
            tagged.get(number, ()),
            _excerpt(by_number[number], texts.get(number, ()), phrases),
        )
        for number in numbers
    )


def _excerpt(row: RowMapping, texts: Sequence[str], phrases: Sequence[Phrase]) -> str:
    if not phrases:
        return ""
    return excerpt((*texts, row["notes"], row["name"], row["topic"]), phrases)


def _row(row: RowMapping, models: tuple[str, ...], tags: tuple[str, ...], found: str) -> RunRow:
    nano = row["cost_nano"]
    return RunRow(
        id=RunId(row["id"]),
        workflow=row["workflow"],
        title=row["title"],
        kind=row["kind"],
        topic=row["topic"],
        status=RunStatus(row["status"]),
        started_at=row["started_at"],
        wall_s=row["wall_s"],
        sequential_s=row["sequential_s"],
        cost_usd=None if nano is None else Decimal(nano) / NANO,
        free=row["free"],
        models=models,
        branches=row["branches"],
        failed=row["failed"],
        label=Label(name=row["name"], notes=row["notes"], tags=tags, favourite=row["favourite"]),
        imported=row["imported_at"] is not None,
        shared=row["shared"],
        batch=row["batch"],
        deleted_at=row["deleted_at"],
        excerpt=found,
    )
