"""Writes runs down while they happen: each call of `write` is one transaction.

What is written for every run goes in one statement for all. What was written before is known by its
number, so the same news told twice is written once, and news with a hole before it is refused
instead of making a record that nobody can read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fanout.errors import StoreConflict
from fanout.events import (
    AggregatePlanned,
    AggregateWritten,
    BranchFinished,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.snapshot import Snapshot
from fanout.store.chunks import joined, pack, retold, unpack
from fanout.store.database import insert, writing
from fanout.store.owners import Owners
from fanout.store.rows import Row, call_rows, run_row, short, word_row
from fanout.store.schema import WORDS, calls, runs, timeline
from fanout.store.values import Update

_RESHAPE = (RunStarted, AggregatePlanned, RunResumed)
"""After these there may be other calls than before."""
_SEARCHED = (RunStarted, BranchFinished, AggregateWritten, RunResumed, RunFinished)
"""After these a search should find what was written."""
_FOUND = (
    select(runs.c.number, runs.c.events, runs.c.owner, runs.c.person)
    .where(runs.c.id == bindparam("wanted"))
    .with_for_update()
)
# What is written for every run every second is put together once, and only filled in then.
_PUT_RUN = update(runs).where(runs.c.number == bindparam("wanted"))
_PUT_CHUNK = timeline.insert()
_PUT_WORDS = {
    name: update(searched).where(searched.c.run == bindparam("wanted"))
    for name, searched in WORDS.items()
}
_PUT_CALLS: dict[tuple[str, ...], sqlite.Insert | postgresql.Insert] = {}
"""By the database's kind and the columns that are filled."""
MANY = 50
"""With more branches a search finds them once the run has ended: looking through all the texts at
the end of each would take most of the time."""


class Journal:
    """The writing side of the record."""

    def __init__(self, engine: Engine, owners: Owners) -> None:
        self._engine = engine
        self._owners = owners

    def write(self, updates: Sequence[Update], *, imported: bool = False) -> None:
        """All or nothing; StoreError. `imported` marks new runs as brought from elsewhere."""
        with writing(self._engine) as connection:
            self._owners.beat_within(connection)
            rows = _Rows()
            # In one order everywhere, or two processes could wait for each other.
            for one in sorted(updates, key=lambda update: update.snapshot.run_id):
                self._write(connection, one, imported, rows)
            rows.put(connection)

    def _write(self, connection: Connection, news: Update, imported: bool, rows: _Rows) -> None:
        run_id = short(news.snapshot.run_id, 64)
        if run_id in rows.ids:
            # The database has to know what came before.
            rows.put(connection)
        rows.ids.add(run_id)
        row = connection.execute(_FOUND, {"wanted": run_id}).first()
        if row is None:
            if news.first:
                raise StoreConflict("The beginning of this run is not in the record any more.")
            origin: Row = {"person": short(news.person, 64)}
            if imported:
                origin["imported_at"] = time.time()
            number = self._begin(connection, run_id, news.snapshot, origin)
            rows.add(connection, number, news.snapshot, news.events, 0, self._owners.id)
            return
        if row.person != news.person:
            raise StoreConflict("A run with this id is here already. It was left as it is.")
        self._check_owner(connection, row.owner)
        known = row.events - news.first
        if known < 0:
            raise StoreConflict("A part of this run was not written down, so no more of it can be.")
        if known and not _retold(connection, row.number, news.events[:known]):
            raise StoreConflict("This run went on elsewhere in the meantime. Open it anew.")
        if events := news.events[known:]:
            first = row.events
            rows.add(connection, row.number, news.snapshot, events, first, self._owners.id)

    def _begin(self, connection: Connection, run_id: str, snapshot: Snapshot, origin: Row) -> int:
        row = run_row(snapshot) | {"id": run_id, "written_at": time.time(), "events": 0} | origin
        number = connection.execute(runs.insert().values(row)).inserted_primary_key
        assert number is not None, "runs count up by themselves"
        searched = WORDS[connection.dialect.name]
        connection.execute(searched.insert().values(run=number[0], topic="", texts="", label=""))
        return int(number[0])

    def _check_owner(self, connection: Connection, owner: str) -> None:
        if owner not in ("", self._owners.id) and self._owners.alive(connection, owner):
            raise StoreConflict("Another process of Fanout is at work on this run.")


def append(
    connection: Connection,
    number: int,
    snapshot: Snapshot,
    events: Sequence[Event],
    first: int,
    owner: str,
) -> None:
    """Write the next events of a run, and everything that follows from them."""
    rows = _Rows()
    rows.add(connection, number, snapshot, events, first, owner)
    rows.put(connection)


class _Rows:
    """What several runs have to write, gathered until `put`."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        """The runs that they are of."""
        self._runs: list[Row] = []
        self._chunks: list[Row] = []
        self._calls: list[Row] = []
        self._words: list[Row] = []
        self._over: list[int] = []

    def add(
        self,
        connection: Connection,
        number: int,
        snapshot: Snapshot,
        events: Sequence[Event],
        first: int,
        owner: str,
    ) -> None:
        """The next events of a run, and everything that follows from them."""
        written = {"events": first + len(events), "owner": owner, "written_at": time.time()}
        self._runs.append(run_row(snapshot) | written | {"wanted": number})
        self._chunks.append(
            {"run": number, "first": first, "count": len(events), "data": pack(events)}
        )
        self._calls += _call_rows(connection, number, snapshot, events)
        many = len(snapshot.branches) > MANY and not snapshot.status.finished
        if not many and any(isinstance(event, _SEARCHED) for event in events):
            self._words.append(word_row(snapshot) | {"wanted": number})
        if snapshot.status.finished:
            self._over.append(number)

    def put(self, connection: Connection) -> None:
        """Write them all, after which there are none."""
        for statement, rows in (
            (_PUT_RUN, self._runs),
            (_PUT_CHUNK, self._chunks),
            (_PUT_WORDS[connection.dialect.name], self._words),
        ):
            if rows:
                connection.execute(statement, rows)
        if self._calls:
            statement = _put_calls_statement(connection, tuple(self._calls[0]))
            connection.execute(statement, self._calls)
        for number in self._over:
            _merge(connection, number)
        for done in (self._runs, self._chunks, self._words, self._calls, self._over, self.ids):
            done.clear()


def _call_rows(
    connection: Connection, number: int, snapshot: Snapshot, events: Sequence[Event]
) -> list[Row]:
    """The rows of the calls that the events are about; of all where there may be others now."""
    reshaped = any(isinstance(event, _RESHAPE) for event in events)
    touched = {id for event in events if (id := getattr(event, "id", None))}
    found = call_rows(snapshot, None if reshaped else touched)
    rows: list[Row] = [{"run": number, **row} for row in found]
    if reshaped:
        there = [row["id"] for row in rows]
        connection.execute(delete(calls).where(calls.c.run == number, calls.c.id.not_in(there)))
    return rows


def _put_calls_statement(
    connection: Connection, names: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    key = (connection.dialect.name, *names)
    if key not in _PUT_CALLS:
        new = insert(connection, calls)
        changed = {name: new.excluded[name] for name in names if name not in ("run", "id")}
        _PUT_CALLS[key] = new.on_conflict_do_update(index_elements=["run", "id"], set_=changed)
    return _PUT_CALLS[key]


def _merge(connection: Connection, number: int) -> None:
    """The chunks of a run that is over as one: smaller, and read at once."""
    own = timeline.c.run == number
    found = connection.execute(select(timeline).where(own).order_by(timeline.c.first)).all()
    if len(found) < 2:
        return
    try:
        data = joined(chunk.data for chunk in found)
    except ValueError:
        # One of them is damaged: what can still be read is not to be lost as well.
        return
    connection.execute(delete(timeline).where(own))
    count = sum(chunk._mapping["count"] for chunk in found)
    connection.execute(timeline.insert().values(run=number, first=0, count=count, data=data))


def _retold(connection: Connection, number: int, events: Sequence[Event]) -> bool:
    """Whether the record holds these very events."""
    own = timeline.c.run == number
    found = connection.execute(
        select(timeline.c.data).where(own).order_by(timeline.c.first)
    ).scalars()
    try:
        written = [event for data in found for event in unpack(data)]
    except ValueError:
        return False
    return retold(written, events)
