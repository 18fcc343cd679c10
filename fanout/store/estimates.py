"""What earlier runs say about the next one: how long answers were, how good estimates were.

Only the newest runs are looked at, so that a page costs the same however long the record is.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, Engine, Row, func, select

from fanout.errors import StoreError
from fanout.insight.accuracy import Accuracy, Span, accuracy, span
from fanout.insight.estimate import Lengths, LengthsOf
from fanout.people import PersonId
from fanout.store.database import reading
from fanout.store.rows import NANO
from fanout.store.schema import calls, runs
from fanout.types import BranchId, BranchState, Forecast, RunStatus

log = logging.getLogger(__name__)

NEWEST = 500
"""Runs that are looked at, whosever and whichever they are."""
ESTIMATES = 20
"""Of them, the newest that were estimated."""
ANSWERS = 400
ENOUGH = 3
"""Answers of a branch from which its length is told."""


class Estimates:
    """All methods raise StoreError where the database can't be used, and may be called from any
    thread."""

    def __init__(self, engine: Engine, person: PersonId | None = None) -> None:
        """`person`: only their runs count; None: everybody's."""
        self._engine = engine
        self._person = person

    def past(self) -> Accuracy | None:
        """How good the last estimates were; None where there are none yet."""
        asked = (
            select(
                runs.c.low_nano,
                runs.c.high_nano,
                runs.c.least_tokens,
                runs.c.most_tokens,
                runs.c.cost_nano,
                func.sum(calls.c.output_tokens),
            )
            .join(calls, calls.c.run == runs.c.number)
            .where(
                *self._newest(),
                runs.c.status == RunStatus.SUCCEEDED.value,
                runs.c.most_tokens.is_not(None),
            )
            .group_by(runs.c.number)
            .order_by(runs.c.number.desc())
            .limit(ESTIMATES)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(asked).all()
        return accuracy(list(_spans(rows)))

    def lengths(self, workflow: str) -> dict[tuple[BranchId, str], Lengths]:
        """Of answers in that workflow, by branch and model."""
        asked = (
            select(calls.c.id, calls.c.model, calls.c.output_tokens)
            .join(runs, calls.c.run == runs.c.number)
            .where(
                *self._newest(),
                runs.c.workflow == workflow,
                calls.c.state == BranchState.DONE.value,
                calls.c.attempts == 1,
                calls.c.output_tokens > 0,
            )
            .order_by(calls.c.run.desc())
            .limit(ANSWERS)
        )
        found: dict[tuple[BranchId, str], list[int]] = defaultdict(list)
        with reading(self._engine) as connection:
            for id, model, tokens in connection.execute(asked):
                found[BranchId(id), model].append(int(tokens))
        return {key: _lengths(some) for key, some in found.items() if len(some) >= ENOUGH}

    def lengths_of(self, workflow: str) -> LengthsOf:
        """The same as an estimate asks for it; nothing is known where the record can't be read."""
        try:
            known = self.lengths(workflow)
        except StoreError as error:
            log.info("an estimate is made without earlier answers: %s", error)
            known = {}
        return lambda id, model: known.get((id, model))

    def _newest(self) -> list[ColumnElement[bool]]:
        last = select(func.max(runs.c.number)).scalar_subquery()
        kept = [
            runs.c.number > last - NEWEST,
            runs.c.deleted_at.is_(None),
            runs.c.imported_at.is_(None),
        ]
        return kept if self._person is None else [*kept, runs.c.person == self._person]


def _spans(rows: Sequence[Row[*tuple[int | None, ...]]]) -> Iterator[Span]:
    for low, high, least, most, cost, output in rows:
        forecast = Forecast(
            input_tokens=0,
            output_tokens_least=int(least or 0),
            output_tokens_most=int(most or 0),
            low_usd=_usd(low),
            high_usd=_usd(high),
        )
        one = span(forecast, _usd(cost), None if output is None else int(output))
        if one is not None:
            yield one


def _usd(nano: int | None) -> Decimal | None:
    return None if nano is None else Decimal(int(nano)) / NANO


def _lengths(tokens: list[int]) -> Lengths:
    ordered = sorted(tokens)
    tenth = (len(ordered) - 1) // 10
    return Lengths(low=ordered[tenth], high=ordered[-1 - tenth])
