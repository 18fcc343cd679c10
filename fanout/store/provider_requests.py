"""Requests that wait for a provider's Batch API, and the answers until their run is recorded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    extract,
    func,
    or_,
    select,
    true,
    update,
)

from fanout.people import PersonId
from fanout.store.database import insert, reading, writing
from fanout.store.owners import Owners
from fanout.store.provider_values import Kept, Parked, Queue, Waiting
from fanout.store.schema import runs
from fanout.store.schema_batches import provider_requests as requests
from fanout.types import EndpointId, RunStatus

PORTION = 200
"""Rows in one statement or one page."""
ORPHAN_S = 3600.0
"""Requests of a run that nobody ever wrote down are dropped after so long."""
UNTOLD_S = 30 * 86_400.0
"""An answer that came too late for its run is kept for so long, should the run go on."""
_UNTOLD = ""
"""The owner of requests whose run went on without their answers."""
_ENDED = (RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED)
_Item = TypeVar("_Item")


class ProviderRequests:
    """All methods may be called from any thread; each is one transaction. StoreError."""

    def __init__(self, engine: Engine, owners: Owners) -> None:
        self._engine = engine
        self._owners = owners

    def park(self, asked: Sequence[Parked]) -> dict[str, Kept]:
        """Keep requests until a job takes them; those that were answered before, with the answer.

        What is in a job already stays there, whatever form of it is asked for now.
        """
        with writing(self._engine) as connection:
            self._owners.beat_within(connection)
            now = clock(connection)
            for portion in portions(asked):
                rows = [_row(one, self._owners.id, now) for one in portion]
                statement = insert(connection, requests).on_conflict_do_nothing()
                connection.execute(statement, rows)
                theirs = requests.c.key.in_([one.key for one in portion])
                connection.execute(
                    update(requests).where(theirs).values(owner=self._owners.id, withdrawn=False)
                )
                free = theirs & (requests.c.job == "") & requests.c.answer.is_(None)
                shapes = select(requests.c.key, requests.c.shape).where(free)
                stand = {str(key): str(shape) for key, shape in connection.execute(shapes)}
                for row in rows:
                    if stand.get(str(row["key"]), row["shape"]) != row["shape"]:
                        changed = {name: row[name] for name in ("body", "shape", "size")}
                        which = free & (requests.c.key == row["key"])
                        connection.execute(update(requests).where(which).values(changed))
            return kept_of(connection, [one.key for one in asked])

    def waiting(self) -> tuple[Waiting, ...]:
        """What is parked for this process and in no job yet."""
        with reading(self._engine) as connection:
            now = clock(connection)
            found = connection.execute(
                select(
                    requests.c.person,
                    requests.c.endpoint,
                    requests.c.model,
                    func.count(),
                    func.sum(requests.c.size),
                    func.min(requests.c.parked_at),
                    func.max(requests.c.parked_at),
                )
                .where(parked_for(self._owners.id))
                .group_by(requests.c.person, requests.c.endpoint, requests.c.model)
            ).all()
        return tuple(
            Waiting(
                queue=Queue(person=PersonId(person), endpoint=EndpointId(endpoint), model=model),
                count=count,
                size=int(size),
                oldest=oldest,
                newest=newest,
                now=now,
            )
            for person, endpoint, model, count, size, oldest, newest in found
        )

    def news(self, since: float) -> tuple[float, list[str]]:
        """Now, and the keys answered since then that this process waits, or waited, for."""
        with reading(self._engine) as connection:
            now = clock(connection)
            found = connection.execute(
                select(requests.c.key).where(
                    requests.c.answered_at >= since, requests.c.owner == self._owners.id
                )
            )
            return now, list(found.scalars())

    def kept(self, keys: Sequence[str]) -> dict[str, Kept]:
        """The answers that there are."""
        with reading(self._engine) as connection:
            return kept_of(connection, keys)

    def withdraw(self, run: str, call: str | None) -> tuple[str, ...]:
        """Nobody waits any more for what a run, or one call of it, asked; the jobs that this is
        about. What is in no job yet is dropped."""
        with writing(self._engine) as connection:
            theirs = (requests.c.run == run) & requests.c.answer.is_(None)
            theirs &= true() if call is None else requests.c.call == call
            connection.execute(delete(requests).where(theirs, requests.c.job == ""))
            found = connection.execute(select(requests.c.job).where(theirs).distinct())
            ids = tuple(found.scalars())
            connection.execute(update(requests).where(theirs).values(withdrawn=True))
            return ids

    def unpark(self, keys: Sequence[str]) -> None:
        """Drop requests that nobody waits for any more, if no job has them yet."""
        with writing(self._engine) as connection:
            for portion in portions(keys):
                connection.execute(
                    delete(requests).where(
                        requests.c.key.in_(portion),
                        requests.c.job == "",
                        requests.c.answer.is_(None),
                        requests.c.owner == self._owners.id,
                    )
                )

    def told(self, job: str) -> list[str]:
        """What this process waits for in a job; from now on nobody does, and an answer is kept for
        when it is asked for again."""
        with writing(self._engine) as connection:
            open_here = (requests.c.job == job) & requests.c.answer.is_(None)
            open_here &= requests.c.owner == self._owners.id
            found = list(connection.execute(select(requests.c.key).where(open_here)).scalars())
            connection.execute(update(requests).where(open_here).values(owner=_UNTOLD))
            return found

    def forget(self, run: str) -> None:
        """A run has ended and is recorded, so its answers are there: drop them here. What it was
        not told, and what a job still works on, stays, should the run go on."""
        heard = requests.c.answer.is_not(None) & (requests.c.owner != _UNTOLD)
        with writing(self._engine) as connection:
            connection.execute(
                delete(requests).where(requests.c.run == run, heard | (requests.c.job == ""))
            )

    def sweep(self) -> None:
        """Drop what belongs to runs that have ended or are gone, left over by a crash."""
        with writing(self._engine) as connection:
            now = clock(connection)
            ended = requests.c.run.in_(select(runs.c.id).where(runs.c.status.in_(_ENDED)))
            deleted = select(runs.c.id).where(runs.c.deleted_at.is_not(None))
            old = requests.c.parked_at < now - ORPHAN_S
            gone = and_(old, requests.c.run.not_in(select(runs.c.id)))
            answered = requests.c.answer.is_not(None)
            late = (requests.c.owner == _UNTOLD) & answered
            heard = ~late | (requests.c.answered_at < now - UNTOLD_S)
            over = or_(requests.c.run.in_(deleted), gone, and_(ended, heard))
            connection.execute(delete(requests).where(answered | (requests.c.job == ""), over))


def forget_runs(connection: Connection, ids: Sequence[str]) -> None:
    """These runs are removed for good, with all that is parked or kept for them."""
    for portion in portions(ids):
        connection.execute(delete(requests).where(requests.c.run.in_(portion)))


def parked_for(owner: str) -> ColumnElement[bool]:
    """What is in no job yet and waited for by that process."""
    return and_(
        requests.c.owner == owner,
        requests.c.job == "",
        requests.c.answer.is_(None),
        requests.c.withdrawn.is_(False),
    )


def _row(one: Parked, owner: str, now: float) -> dict[str, object]:
    return {
        "key": one.key,
        "run": one.run,
        "call": one.call,
        "person": one.queue.person,
        "endpoint": one.queue.endpoint,
        "model": one.queue.model,
        "body": one.body,
        "shape": one.shape,
        "size": len(one.body),
        "owner": owner,
        "parked_at": now,
    }


def kept_of(connection: Connection, keys: Sequence[str]) -> dict[str, Kept]:
    answers: dict[str, Kept] = {}
    for portion in portions(keys):
        found = connection.execute(
            select(requests.c.key, requests.c.answer, requests.c.shape).where(
                requests.c.key.in_(portion), requests.c.answer.is_not(None)
            )
        )
        answers |= {key: Kept(answer=answer, shape=shape) for key, answer, shape in found}
    return answers


def portions(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for first in range(0, len(items), PORTION):
        yield items[first : first + PORTION]


def clock(connection: Connection) -> float:
    """Unix time, by the one clock that all processes of a database share."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(connection.execute(select(extract("epoch", func.clock_timestamp()))).scalar_one())
