"""Runs whose process is gone are ended, and a run that ended can be claimed to go on with it."""

from __future__ import annotations

from functools import reduce

from sqlalchemy import Engine, select, update

from fanout.events import Event, RunFinished
from fanout.fold import apply
from fanout.snapshot import Snapshot
from fanout.store.database import reading, writing
from fanout.store.journal import append
from fanout.store.owners import Owners
from fanout.store.reading import drawn, endings, find
from fanout.store.rows import short
from fanout.store.schema import runs
from fanout.types import RunId, RunStatus


def interrupt(engine: Engine, owners: Owners) -> tuple[RunId, ...]:
    """End every run whose process is gone; the ids of those that this call has ended."""
    with reading(engine) as connection:
        running = connection.execute(
            select(runs.c.id).where(runs.c.status == RunStatus.RUNNING, runs.c.owner != owners.id)
        )
        found = [str(run_id) for run_id in running.scalars()]
        gone = owners.gone(connection)
    ended = tuple(RunId(run_id) for run_id in found if _end(engine, owners, run_id))
    if gone:
        # Else this is no more than a look, which no other writer can hold up.
        with writing(engine) as connection:
            owners.forget(connection, gone)
    return ended


def claim(engine: Engine, owners: Owners, run_id: str) -> bool:
    """Make this process the owner of a run; False while another one is at work on it."""
    with writing(engine) as connection:
        found = connection.execute(
            select(runs).where(runs.c.id == short(run_id, 64)).with_for_update()
        )
        row = found.mappings().first()
        if row is None:
            return False
        running = row["status"] == RunStatus.RUNNING
        if running and owners.alive(connection, row["owner"]) and row["owner"] != owners.id:
            return False
        connection.execute(
            update(runs).where(runs.c.number == row["number"]).values(owner=owners.id)
        )
        return True


def _end(engine: Engine, owners: Owners, run_id: str) -> bool:
    with writing(engine) as connection:
        # Another process may be doing the same: the second one finds it ended.
        connection.execute(select(runs.c.number).where(runs.c.id == run_id).with_for_update())
        row = find(connection, run_id)
        gone = row is not None and row["status"] == RunStatus.RUNNING
        if row is None or not gone or owners.alive(connection, row["owner"]):
            return False
        _, snapshot, _ = drawn(connection, row)
        ends = () if snapshot.status.finished else _endings(snapshot)
        if ends:
            picture = reduce(apply, ends, snapshot)
            append(connection, row["number"], picture, ends, row["events"], owner="")
        else:
            connection.execute(
                update(runs)
                .where(runs.c.number == row["number"])
                .values(status=snapshot.status.value, owner="")
            )
        return True


def _endings(snapshot: Snapshot) -> tuple[Event, ...]:
    """A run that lacked only the note of its end has it now: nothing of it could be resumed."""
    done = all(b.state.succeeded or b.not_needed for b in snapshot.branches)
    own = snapshot.aggregate
    if snapshot.aggregate_kind is not None:
        done = done and own is not None and own.branch.state.succeeded
    under_way = any(call.phases and not call.state.finished for call in snapshot.calls)
    succeeded = any(branch.state.succeeded for branch in snapshot.branches)
    if not done or under_way or not succeeded:
        return endings(snapshot)
    abstained = any(b.ballot is not None and not b.ballot.valid for b in snapshot.branches)
    status = RunStatus.PARTIAL if abstained else RunStatus.SUCCEEDED
    return (RunFinished(at=snapshot.at, status=status),)
