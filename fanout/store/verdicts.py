"""Blind comparisons: which of two texts a person found better before seeing whose they are."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Engine, insert, or_, select

from fanout.people import NOBODY, PersonId
from fanout.store.database import reading, writing
from fanout.store.rows import short
from fanout.store.schema import verdicts
from fanout.store.values import Verdict


class Verdicts:
    """All methods raise StoreError where the database can't be used, and may be called from any
    thread."""

    def __init__(self, engine: Engine, person: PersonId | None = None) -> None:
        """`person`: only theirs are kept and found."""
        self._engine = engine
        self._person = person

    def give(self, verdict: Verdict) -> None:
        """Keep a verdict beside all others; one on the same texts does not replace it."""
        row = {
            "given_at": verdict.given_at,
            "run_a": short(verdict.run_a, 64),
            "call_a": short(verdict.call_a, 80),
            "run_b": short(verdict.run_b, 64),
            "call_b": short(verdict.call_b, 80),
            "choice": verdict.choice,
            "person": self._person or NOBODY,
        }
        with writing(self._engine) as connection:
            connection.execute(insert(verdicts).values(row))

    def of(self, run_id: str) -> tuple[Verdict, ...]:
        """Those on a text of that run, on either side, oldest first."""
        id = short(run_id, 64)
        return self._asked(or_(verdicts.c.run_a == id, verdicts.c.run_b == id))

    def all(self) -> tuple[Verdict, ...]:
        """Oldest first."""
        return self._asked()

    def _asked(self, *conditions: ColumnElement[bool]) -> tuple[Verdict, ...]:
        columns = [c for c in verdicts.c if c not in (verdicts.c.number, verdicts.c.person)]
        asked = select(*columns).where(*conditions)
        if self._person is not None:
            asked = asked.where(verdicts.c.person == self._person)
        with reading(self._engine) as connection:
            rows = connection.execute(asked.order_by(verdicts.c.given_at, verdicts.c.number))
            return tuple(Verdict(**row) for row in rows.mappings())
