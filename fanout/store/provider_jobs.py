"""What was handed over to a provider's Batch API, as the database knows it.

A request is parked here before anything is sent, a job is written down before it is made over
there, and an answer stays until the run that asked for it is recorded. So whichever process goes on
after whatever crash finds what was paid for, and asks for nothing twice. Prompts are dropped once
they are answered; keys never come here.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, select, update

from fanout.people import PersonId
from fanout.store.database import reading, writing
from fanout.store.owners import Owners
from fanout.store.provider_requests import (
    PORTION,
    ProviderRequests,
    clock,
    kept_of,
    parked_for,
    portions,
)
from fanout.store.provider_values import Job, JobState, Kept, Queue
from fanout.store.schema_batches import provider_jobs as jobs
from fanout.store.schema_batches import provider_requests as requests
from fanout.types import EndpointId


class ProviderJobs:
    """All methods may be called from any thread; each is one transaction. StoreError."""

    def __init__(self, engine: Engine, owners: Owners) -> None:
        self._engine = engine
        self._owners = owners
        self.requests = ProviderRequests(engine, owners)
        """What waits for a job, and what was answered."""

    def gather(self, queue: Queue, host: str, *, most: int, most_bytes: int) -> Job | None:
        """Make a job of the oldest requests of a queue; None where none is left."""
        with writing(self._engine) as connection:
            found = connection.execute(
                select(requests.c.key, requests.c.size)
                .where(parked_for(self._owners.id) & _of(queue))
                .order_by(requests.c.parked_at, requests.c.key)
                .limit(most)
                .with_for_update(skip_locked=True)
            ).all()
            size = 0
            keys: list[str] = []
            for key, bytes_of_it in found:
                if keys and size + bytes_of_it > most_bytes:
                    break
                size += bytes_of_it
                keys.append(key)
            if not keys:
                return None
            job = Job(
                id=secrets.token_hex(16),
                queue=queue,
                host=host,
                state=JobState.MAKING,
                requests=len(keys),
                size=size,
                made_at=clock(connection),
            )
            connection.execute(jobs.insert().values(_job_row(job, self._owners.id)))
            for portion in portions(keys):
                connection.execute(
                    update(requests)
                    .where(requests.c.key.in_(portion))
                    .values(job=job.id, tries=requests.c.tries + 1)
                )
        return job

    def prune(self, job: str) -> bool:
        """Drop what nobody waits for any more, before its file is made; whether any is left."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(requests).where(requests.c.job == job, requests.c.withdrawn.is_(True))
            )
            left = select(requests.c.key).where(requests.c.job == job, requests.c.answer.is_(None))
            return connection.execute(left.limit(1)).first() is not None

    def bodies(self, job: str) -> Iterator[tuple[str, str]]:
        """Key and body of its requests, in the order of its file, read in portions."""
        after = ""
        while True:
            with reading(self._engine) as connection:
                found = connection.execute(
                    select(requests.c.key, requests.c.body)
                    .where(requests.c.job == job, requests.c.key > after)
                    .order_by(requests.c.key)
                    .limit(PORTION)
                ).all()
            if not found:
                return
            yield from ((key, body) for key, body in found)
            after = found[-1].key

    def uploaded(self, job: str, input_file: str) -> bool:
        """Its file is there. False, here and below, where the job is another process's by now."""
        return self._note(job, state=JobState.UPLOADED, input_file=input_file)

    def sent(self, job: str, remote: str) -> bool:
        """The provider has it and calls it so."""
        with writing(self._engine) as connection:
            return self._noted(
                connection, job, state=JobState.SENT, remote=remote, sent_at=clock(connection)
            )

    def looked(self, job: str, status: str) -> bool:
        return self._note(job, status=status[:40])

    def cancelling(self, job: str) -> bool:
        return self._note(job, state=JobState.CANCELLING)

    def renew(self, ids: Collection[str]) -> None:
        """Say that this process still sees to these."""
        with writing(self._engine) as connection:
            self._owners.beat_within(connection)
            connection.execute(
                update(jobs)
                .where(jobs.c.id.in_(ids), jobs.c.owner == self._owners.id)
                .values(seen_at=clock(connection))
            )

    def adopt(
        self, known: Collection[str], hosts: Mapping[Queue, str], stale_s: float
    ) -> list[Job]:
        """Take over the jobs that nobody sees to: of processes that are gone, or silent for so
        long. `known` are those that this one sees to; `hosts` are the endpoints, as queues without
        a model, that it can ask."""
        found = self._orphans(known, hosts, stale_s)
        if not found:
            return []
        with writing(self._engine) as connection:
            taken = []
            for job, owner in found:
                mine = update(jobs).where(jobs.c.id == job.id, jobs.c.owner == owner)
                values = {"owner": self._owners.id, "seen_at": clock(connection)}
                if connection.execute(mine.values(values)).rowcount:
                    taken.append(replace(job, adopted=True))
            return taken

    def answered(self, job: str, answers: Mapping[str, str]) -> dict[str, Kept]:
        """Keep what came of a job's requests, and drop the prompts; the first answer counts. What
        is kept now for these keys."""
        with writing(self._engine) as connection:
            now = clock(connection)
            for key, answer in answers.items():
                connection.execute(
                    update(requests)
                    .where(requests.c.key == key, requests.c.job == job)
                    .where(requests.c.answer.is_(None))
                    .values(answer=answer, answered_at=now, body="")
                )
            return kept_of(connection, list(answers))

    def unanswered(self, job: str) -> list[tuple[str, int, bool]]:
        """Key, number of tries and whether it was withdrawn, in the order of its file."""
        with reading(self._engine) as connection:
            found = connection.execute(
                select(requests.c.key, requests.c.tries, requests.c.withdrawn)
                .where(requests.c.job == job, requests.c.answer.is_(None))
                .order_by(requests.c.key)
            ).all()
        return [(key, tries, withdrawn) for key, tries, withdrawn in found]

    def place_in(self, job: str, line: int) -> str | None:
        """The key in a line of its file, from 1."""
        if line < 1:
            return None
        with reading(self._engine) as connection:
            key = connection.execute(
                select(requests.c.key)
                .where(requests.c.job == job)
                .order_by(requests.c.key)
                .offset(line - 1)
                .limit(1)
            ).scalar()
        return None if key is None else str(key)

    def wanted(self, job: str) -> bool:
        """Whether anybody still waits for something in it."""
        with reading(self._engine) as connection:
            found = connection.execute(
                select(requests.c.key)
                .where(requests.c.job == job, requests.c.answer.is_(None))
                .where(requests.c.withdrawn.is_(False))
                .limit(1)
            ).first()
        return found is not None

    def ended(self, job: str, status: str, why: str = "") -> bool:
        """Nothing more comes of it: what it left unanswered is parked again, or dropped where
        nobody waits for it."""
        with writing(self._engine) as connection:
            now = clock(connection)
            if not self._noted(
                connection, job, state=JobState.ANSWERED, status=status[:40], why=why, over_at=now
            ):
                return False
            left = (requests.c.job == job) & requests.c.answer.is_(None)
            connection.execute(delete(requests).where(left, requests.c.withdrawn.is_(True)))
            connection.execute(update(requests).where(left).values(job="", parked_at=now))
            return True

    def over(self, job: str) -> bool:
        """Nothing of it lies at the provider any more."""
        return self._note(job, state=JobState.OVER)

    def _note(self, job: str, **values: object) -> bool:
        with writing(self._engine) as connection:
            return self._noted(connection, job, **values)

    def _noted(self, connection: Connection, job: str, **values: object) -> bool:
        values["seen_at"] = clock(connection)
        mine = update(jobs).where(jobs.c.id == job, jobs.c.owner == self._owners.id)
        return connection.execute(mine.values(values)).rowcount > 0

    def _orphans(
        self, known: Collection[str], hosts: Mapping[Queue, str], stale_s: float
    ) -> list[tuple[Job, str]]:
        with reading(self._engine) as connection:
            stale = clock(connection) - stale_s
            found = connection.execute(select(jobs).where(jobs.c.state != JobState.OVER)).mappings()
            orphans = []
            for row in found.all():
                job = _job(dict(row))
                where = replace(job.queue, model="")
                if job.id in known or hosts.get(where) != job.host:
                    continue
                mine = row["owner"] == self._owners.id
                if (
                    mine
                    or row["seen_at"] < stale
                    or not self._owners.alive(connection, row["owner"])
                ):
                    orphans.append((job, str(row["owner"])))
            return orphans


def _of(queue: Queue) -> ColumnElement[bool]:
    return and_(
        requests.c.person == queue.person,
        requests.c.endpoint == queue.endpoint,
        requests.c.model == queue.model,
    )


def _job_row(job: Job, owner: str) -> dict[str, object]:
    return {
        "id": job.id,
        "person": job.queue.person,
        "endpoint": job.queue.endpoint,
        "model": job.queue.model,
        "host": job.host,
        "state": job.state,
        "requests": job.requests,
        "size": job.size,
        "made_at": job.made_at,
        "owner": owner,
        "seen_at": job.made_at,
    }


def _job(row: Mapping[str, object]) -> Job:
    return Job(
        id=str(row["id"]),
        queue=Queue(
            person=PersonId(str(row["person"])),
            endpoint=EndpointId(str(row["endpoint"])),
            model=str(row["model"]),
        ),
        host=str(row["host"]),
        state=JobState(str(row["state"])),
        requests=int(str(row["requests"])),
        size=int(str(row["size"])),
        made_at=float(str(row["made_at"])),
        remote=str(row["remote"]),
        input_file=str(row["input_file"]),
    )
