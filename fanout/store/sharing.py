"""Whose a run is, whether its link is open, and when people signed out or started their last runs.

Small reads on the way of every request, so each is one row or a few of an index.
"""

from __future__ import annotations

from sqlalchemy import Engine, select, update

from fanout.errors import InputError
from fanout.people import PersonId
from fanout.store.database import insert, reading, writing
from fanout.store.rows import short
from fanout.store.schema import people, runs
from fanout.store.values import Access


def access(engine: Engine, run_id: str) -> Access | None:
    """Who may see a run; None where there is none of that id. StoreError."""
    asked = select(runs.c.person, runs.c.shared, runs.c.deleted_at).where(
        runs.c.id == short(run_id, 64)
    )
    with reading(engine) as connection:
        row = connection.execute(asked).first()
    if row is None:
        return None
    person = PersonId(row.person)
    return Access(person=person, shared=row.shared, deleted=row.deleted_at is not None)


def share(engine: Engine, run_id: str, person: PersonId, shared: bool) -> None:
    """Open a run's link to everybody who is signed in, or close it. InputError if it is not theirs.

    StoreError.
    """
    own = (runs.c.id == short(run_id, 64), runs.c.person == person)
    with writing(engine) as connection:
        found = connection.execute(update(runs).where(*own).values(shared=shared))
        if not found.rowcount:
            raise InputError("This run is not there any more, so it can't be shared.")


def started_since(engine: Engine, person: PersonId, since: float) -> tuple[float, ...]:
    """When a person's runs began, from that Unix time on, oldest first; deleted ones too."""
    asked = (
        select(runs.c.started_at)
        .where(runs.c.person == person, runs.c.started_at >= since, runs.c.imported_at.is_(None))
        .order_by(runs.c.started_at)
    )
    with reading(engine) as connection:
        return tuple(connection.execute(asked).scalars())


def sign_out(engine: Engine, person: PersonId, at: float) -> None:
    """Only a sign-in later than that Unix time counts. StoreError."""
    with writing(engine) as connection:
        statement = insert(connection, people).values(id=person, signed_out_at=at)
        later = statement.excluded.signed_out_at
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["id"],
                set_={"signed_out_at": later},
                # A tab of an earlier sign-in must not make a later one count again.
                where=people.c.signed_out_at < later,
            )
        )


def signed_out_at(engine: Engine, person: PersonId) -> float:
    """Unix time; 0 for who never did. StoreError."""
    with reading(engine) as connection:
        found = connection.execute(
            select(people.c.signed_out_at).where(people.c.id == person)
        ).scalar()
    return float(found or 0.0)
