"""Which runs a question means, and in what order, as the database reads it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import assert_never

from sqlalchemy import ColumnElement, case, func, literal_column, or_, select, true

from fanout.store.rows import NANO, cleaned
from fanout.store.schema import calls, runs, tags
from fanout.store.schema_batches import batches
from fanout.store.values import Order, Question
from fanout.types import Via

_BOUND = 2**63 - 1


def conditions(question: Question, page: bool = False) -> list[ColumnElement[bool]]:
    """On `runs`, all of them to hold; the text is not among them. `page`: they lead to a page in
    the question's order, not to a sum."""
    found: list[ColumnElement[bool]] = [_shown(question, page)]
    # A page is found along its order's index, which "+ 0" keeps in use; a sum from the few or many
    # runs that a name leads to.
    number = runs.c.number + literal_column("0") if page else runs.c.number
    if question.person is not None:
        found.append(runs.c.person == question.person)
    if question.workflows:
        found.append(runs.c.workflow.in_(_storable(question.workflows)))
    if question.statuses:
        found.append(runs.c.status.in_([str(status) for status in question.statuses]))
    if question.models:
        asked = select(calls.c.run).where(calls.c.model.in_(_storable(question.models)))
        found.append(number.in_(asked))
    if question.tags:
        kept = select(tags.c.run).where(tags.c.tag.in_(_storable(question.tags)))
        found.append(number.in_(kept))
    if question.since is not None:
        found.append(runs.c.started_at >= question.since)
    if question.until is not None:
        found.append(runs.c.started_at < question.until)
    if question.least_usd is not None:
        found.append(runs.c.cost_nano >= _nano(question.least_usd, ROUND_CEILING))
    if question.most_usd is not None:
        found.append(runs.c.cost_nano <= _nano(question.most_usd, ROUND_FLOOR))
    if question.favourites:
        found.append(runs.c.favourite == true())
    if question.batch:
        found.append(runs.c.batch == cleaned(question.batch))
    elif not question.rows:
        # Not by the column itself, which no list's index holds: a look at each run would be needed.
        found.append(runs.c.number.not_in(select(runs.c.number).where(runs.c.batch != "")))
    if question.called:
        known = select(batches.c.id).where(batches.c.via == Via.CALLS.value)
        found.append(or_(runs.c.batch == "", runs.c.batch.in_(known)))
    return found


def _shown(question: Question, page: bool) -> ColumnElement[bool]:
    if question.deleted:
        return runs.c.deleted_at.is_not(None)
    if page and question.order == "topic":
        # No index holds topics, so reading the table from end to end is quickest: SQLite does that
        # only where no index of the shown runs could serve.
        return func.coalesce(runs.c.deleted_at, 0.0) == 0.0
    return runs.c.deleted_at.is_(None)


def ordered(order: Order, descending: bool) -> list[ColumnElement[object]]:
    """No two runs are equal in it; an unknown cost comes last either way."""
    keys: list[ColumnElement[object]] = []
    match order:
        case "started":
            keys = [runs.c.started_at]
        case "wall":
            keys = [runs.c.wall_s]
        case "cost":
            keys = [runs.c.cost_nano]
        case "saved":
            keys = [runs.c.sequential_s - runs.c.wall_s]
        case "topic":
            shown = case((runs.c.name == "", runs.c.topic), else_=runs.c.name)
            keys = [func.lower(func.substr(shown, 1, 80))]
        case "workflow":
            keys = [runs.c.workflow, runs.c.started_at]
        case _:
            assert_never(order)
    keys.append(runs.c.number)
    turned = [key.desc() if descending else key.asc() for key in keys]
    return [turned[0].nulls_last() if order == "cost" else turned[0], *turned[1:]]


def _storable(names: Sequence[str]) -> list[str]:
    return [cleaned(name) for name in names]


def _nano(usd: Decimal, rounding: str) -> int:
    if usd.is_nan():
        return 0
    if abs(usd) > Decimal(_BOUND) / NANO:
        return _BOUND if usd > 0 else -_BOUND
    return int((usd * NANO).to_integral_value(rounding))
