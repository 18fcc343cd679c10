"""Reads a whole run back: its events, and the picture that they draw.

A chunk that can't be read ends the run there, with a note of it; where even the beginning is lost,
the run is put together from its rows, so that its texts can still be seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from sqlalchemy import Connection, Engine, RowMapping, select

from fanout.events import BranchFinished, Event, RunFinished, RunStarted
from fanout.fold import apply, begin
from fanout.people import PersonId
from fanout.pricing import flat_cost
from fanout.snapshot import Branch, Snapshot
from fanout.store.chunks import unpack
from fanout.store.database import reading
from fanout.store.labels import tags_of
from fanout.store.owners import Owners
from fanout.store.rows import short
from fanout.store.salvage import salvaged
from fanout.store.schema import calls, runs, timeline
from fanout.store.values import Label, Later, Standing, StoredRun
from fanout.timeline import compact
from fanout.tokens import estimated_usage
from fanout.types import ENDED_WITH_FANOUT, BranchState, Cost, RunStatus, Usage, Via

CUT = "A part of this run's record is damaged: it is shown as far as it can be read."
REBUILT = "This run's timeline is damaged: its texts and figures are shown, but not how they came."
_UNFIT = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What folding raises where the events are no run."""


def load(engine: Engine, owners: Owners, run_id: str) -> StoredRun | None:
    """The run as far as it was written; None if there is none. StoreError."""
    with reading(engine) as connection:
        row = find(connection, run_id)
        if row is None:
            return None
        live = _live(connection, owners, row)
        label = Label(
            name=row["name"],
            notes=row["notes"],
            tags=tags_of(connection, [row["number"]]).get(row["number"], ()),
            favourite=row["favourite"],
        )
        events, snapshot, problem = drawn(connection, row)
    if problem and not live and not snapshot.status.finished:
        ends = endings(snapshot)
        events, snapshot = (*events, *ends), reduce(apply, ends, snapshot)
    return StoredRun(
        events=events,
        snapshot=snapshot,
        label=label,
        imported_at=row["imported_at"],
        deleted_at=row["deleted_at"],
        live=live,
        owner=row["owner"],
        written=row["events"],
        problem=problem,
        person=PersonId(row["person"]),
    )


def find(connection: Connection, run_id: str) -> RowMapping | None:
    """The row of a run, as it stands in this transaction."""
    found = connection.execute(select(runs).where(runs.c.id == short(run_id, 64)))
    return found.mappings().first()


def drawn(connection: Connection, row: RowMapping) -> tuple[tuple[Event, ...], Snapshot, str]:
    """Events and picture of a run, and what is wrong with them or ""."""
    events, whole = _events(connection, row)
    picture = _picture(events)
    if picture is not None:
        events, snapshot, fits = picture
        return events, snapshot, "" if whole and fits else CUT
    found = connection.execute(
        select(calls).where(calls.c.run == row["number"]).order_by(calls.c.ordinal)
    )
    events = salvaged(row, found.mappings().all())  # type: ignore[arg-type]
    return events, folded(events), REBUILT


def folded(events: Sequence[Event]) -> Snapshot:
    """What folding them one by one gives, but text in one go, which is many times faster."""
    first, *rest = compact(events, math.inf)
    if not isinstance(first, RunStarted):
        raise ValueError("a run begins with its RunStarted")
    snapshot = reduce(apply, rest, begin(first))
    return replace(snapshot, seq=len(events), at=events[-1].at)


def standing(engine: Engine, run_id: str) -> Standing | None:
    """How far the record of a run goes; None if there is none of that id. StoreError."""
    with reading(engine) as connection:
        row = connection.execute(
            select(runs.c.events, runs.c.deleted_at).where(runs.c.id == short(run_id, 64))
        ).first()
    return None if row is None else Standing(written=row.events, deleted=row.deleted_at is not None)


def later(engine: Engine, owners: Owners, run_id: str, known: int) -> Later | None:
    """What was written beyond the first `known` events; None if there is no such run. StoreError.

    Costs no more than what is new, where `known` is how far the record went at an earlier look.
    """
    with reading(engine) as connection:
        row = find(connection, run_id)
        if row is None:
            return None
        events: tuple[Event, ...] | None = ()
        if row["events"] != known:
            events = _from(connection, row, known)
        return Later(
            events=events,
            written=row["events"],
            live=_live(connection, owners, row),
            owner=row["owner"],
            running=row["status"] == RunStatus.RUNNING,
            deleted=row["deleted_at"] is not None,
        )


def _from(connection: Connection, row: RowMapping, known: int) -> tuple[Event, ...] | None:
    """The events of the chunks from that number on; None where no chunk begins there."""
    if row["events"] < known:
        return None
    found = connection.execute(
        select(timeline)
        .where(timeline.c.run == row["number"], timeline.c.first >= known)
        .order_by(timeline.c.first)
    )
    events: list[Event] = []
    for chunk in found.all():
        if chunk.first != known:
            return None
        try:
            events.extend(unpack(chunk.data))
        except ValueError:
            return None
        known += chunk._mapping["count"]
    return tuple(events) if known == row["events"] else None


def endings(snapshot: Snapshot) -> tuple[Event, ...]:
    """The events that end a run whose process is gone."""
    ends = [
        BranchFinished(
            at=snapshot.at,
            id=call.id,
            state=BranchState.STOPPED,
            failure=ENDED_WITH_FANOUT,
            usage=_begun(call, snapshot),
            cost=_begun_cost(call, snapshot),
        )
        for call in snapshot.calls
        if call.phases and not call.state.finished
    ]
    return (*ends, RunFinished(at=snapshot.at, status=RunStatus.INTERRUPTED))


def _begun(call: Branch, snapshot: Snapshot) -> Usage:
    """About what a call had used when its process ended, as where a person stops one."""
    made = snapshot.made_with
    if made is not None and made.row is not None and made.row.via is Via.PROVIDER:
        # It outlives its process, and counts once its answer is asked for again.
        return Usage()
    sent = call.started_s is not None and bool(call.plan.messages)
    return estimated_usage(call) if sent else Usage()


def _begun_cost(call: Branch, snapshot: Snapshot) -> Cost | None:
    """Known where another call of this run tells the same model's price."""
    prices = (
        go.cost.price
        for go in snapshot.goes
        if go.cost is not None and go.plan.model == call.plan.model
    )
    price = next(prices, None)
    if price is None:
        return None
    usage = _begun(call, snapshot)
    return Cost(usd=flat_cost(price, usage), price=price, estimated=usage.estimated)


def _live(connection: Connection, owners: Owners, row: RowMapping) -> bool:
    """Whether another process is at work on it."""
    if row["status"] != RunStatus.RUNNING or row["owner"] == owners.id:
        return False
    return owners.alive(connection, row["owner"])


def _events(connection: Connection, row: RowMapping) -> tuple[tuple[Event, ...], bool]:
    """The events up to the first chunk that can't be read, and whether that is all of them."""
    found = connection.execute(
        select(timeline).where(timeline.c.run == row["number"]).order_by(timeline.c.first)
    )
    events: list[Event] = []
    count = 0
    for chunk in found.all():
        if chunk.first != count:
            break
        try:
            events.extend(unpack(chunk.data))
        except ValueError:
            break
        count += chunk._mapping["count"]
    return tuple(events), count == row["events"]


def _picture(
    events: tuple[Event, ...],
) -> tuple[tuple[Event, ...], Snapshot, bool] | None:
    """The longest beginning of them that is a run, and whether that is all of them."""
    try:
        return events, folded(events), True
    except _UNFIT:
        pass
    snapshot = None
    for number, event in enumerate(events):
        try:
            snapshot = folded([event]) if snapshot is None else apply(snapshot, event)
        except _UNFIT:
            return (events[:number], snapshot, False) if snapshot is not None else None
    return None if snapshot is None else (events, snapshot, True)
