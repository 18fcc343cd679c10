"""What the values of an imported event must be beyond their types: finite, positive, in bounds.

Types are checked as events are decoded; these are the bounds that the engine keeps by itself, and
that the database, the charts and the money arithmetic rely on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal

from fanout.errors import InputError
from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchWrote,
    Event,
    MeaningMeasured,
    RunFinished,
    RunStarted,
)
from fanout.export.importing_limits import LONGEST_NUMBER
from fanout.types import BranchPlan

LONGEST_S = 10 * 365.25 * 86_400
"""Seconds from a run's start to its last event, resumed or not."""
LATEST_START = 7_258_118_400.0
"""Unix time of the year 2200."""
MOST_OF_ANYTHING = 2_000_000_000
"""Tokens, pieces, attempts: what 32 bits can count."""
MOST_USD = Decimal(1_000_000_000)
"""What one call may cost, or a million tokens."""
LEAST_USD = Decimal("1e-18")

_CALL_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,78}[A-Za-z0-9])?")
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,80}")
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LONGEST_TITLE = 1000


def check(event: Event) -> None:
    """InputError where the event can't be one of a run; the text names the field."""
    if isinstance(event, BranchWrote):
        # Nearly all events are these.
        _within(event.at, 0, LONGEST_S, "at")
        _within(event.pieces, 0, MOST_OF_ANYTHING, "pieces")
        return
    _within(event.at, 0, LONGEST_S, "at")
    for name, value in _leaves(event, ""):
        _check_leaf(name, value)
    match event:
        case RunStarted():
            _within(event.started_at, 0, LATEST_START, "started_at")
            _matches(event.workflow, _NAME, "workflow")
            _matches(event.kind, _KIND, "kind")
            _check_plans(event.branches, "branches")
        case AggregatePlanned():
            _matches(event.kind, _KIND, "kind")
            _check_plans((*event.before, event.plan), "plan")
        case AttemptStarted():
            _within(event.attempt, 1, MOST_OF_ANYTHING, "attempt")
        case AttemptFailed():
            _within(event.retry_at, 0, 2 * LONGEST_S, "retry_at")
        case BranchFinished() if not event.state.finished:
            raise InputError(f'state: a branch can\'t end as "{event.state}"')
        case RunFinished() if not event.status.finished:
            raise InputError(f'status: a run can\'t end as "{event.status}"')
        case MeaningMeasured():
            _check_square(event)
        case _:
            pass


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Every number and sum of money in a value, with the way to it."""
    if is_dataclass(value):
        for each in fields(value):
            yield from _leaves(getattr(value, each.name), f"{name}.{each.name}".strip("."))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{number}]")
    elif isinstance(value, int | float | Decimal):
        yield name, value


def _check_leaf(name: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name}: it is no finite number")
    if isinstance(value, Decimal):
        _check_money(name, value)
    elif name.startswith("usage."):
        _within(value, 0, MOST_OF_ANYTHING, name)
    elif isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER:
        raise InputError(f"{name}: the number is too large")


def _check_money(name: str, value: Decimal) -> None:
    if not value.is_finite() or len(value.as_tuple().digits) > LONGEST_NUMBER:
        raise InputError(f"{name}: it is no sum of money")
    if value and not LEAST_USD <= value <= MOST_USD:
        raise InputError(f"{name}: it must be from 0 to {MOST_USD} dollars")
    # A zero can carry any exponent, and arithmetic would spread it out.
    if not value and abs(value.adjusted()) > LONGEST_NUMBER:
        raise InputError(f"{name}: it is no sum of money")


def _check_plans(plans: tuple[BranchPlan, ...], name: str) -> None:
    for plan in plans:
        _matches(plan.id, _CALL_ID, f"{name}, id")
        _matches(plan.model.endpoint, _NAME, f"{name}, endpoint")
        if len(plan.title) > _LONGEST_TITLE or len(plan.model.model) > _LONGEST_TITLE:
            raise InputError(f"{name}: a title or a model's name is too long")
    if len({plan.id for plan in plans}) != len(plans):
        raise InputError(f"{name}: two of them have the same id")


def _check_square(event: MeaningMeasured) -> None:
    size = len(event.branches)
    if len(event.cosines) != size or any(len(row) != size for row in event.cosines):
        raise InputError("cosines: there must be as many rows and columns as branches")
    for row in event.cosines:
        for value in row:
            _within(value, -1.001, 1.001, "cosines")


def _matches(value: str, pattern: re.Pattern[str], name: str) -> None:
    if not pattern.fullmatch(value):
        raise InputError(f"{name}: {value[:20]!r} is no name that Fanout gives")


def _within(value: object, low: float, high: float, name: str) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{name}: it must be from {low:g} to {high:g}")
