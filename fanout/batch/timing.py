"""How long a batch will take: from how long such runs took, and from what rates allow at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from fanout.endpoint import Endpoint
from fanout.errors import StoreError
from fanout.store.history import History
from fanout.store.values import Question
from fanout.types import RunStatus, Via

ENOUGH = 3
"""Runs from which a time is told."""
LOOKED_AT = 40
ROOM = 1.25
"""Others may be at work at the same endpoint."""
PROVIDER_S = 86_400.0
"""Within so many seconds a provider's Batch API answers, or gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """Seconds from the start to the last row; None is unknown."""

    low_s: float | None
    high_s: float | None
    basis: str
    """Where the figures come from, or why there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What bounds how fast rows go through."""

    rows: int
    concurrency: int
    branches: int
    """Calls of one row that are in flight at once."""
    calls: int
    """Of all rows."""
    tokens: int
    """Of all rows, at least."""
    rows_per_minute: int | None = None
    via: Via = Via.CALLS


def walls(history: History, workflow: str, model: str) -> tuple[float, ...]:
    """How many seconds the newest whole runs of that workflow with that model took, those aside
    that lay with a provider for hours."""
    asked = Question(
        workflows=(workflow,),
        models=(model,),
        statuses=(RunStatus.SUCCEEDED, RunStatus.PARTIAL),
        called=True,
        limit=LOOKED_AT,
    )
    try:
        return tuple(row.wall_s for row in history.find(asked).rows if not row.imported)
    except StoreError:
        return ()


def time_span(
    pace: Pace, endpoint: Endpoint | None, seconds: Sequence[float], source: str
) -> TimeSpan:
    """`seconds` are how long single runs took, `source` says which: "the last {n} runs"."""
    if pace.via is Via.PROVIDER:
        return TimeSpan(
            low_s=None,
            high_s=PROVIDER_S,
            basis="the provider answers a batch within 24 hours, often sooner",
        )
    floor, why = _floor(pace, endpoint)
    if len(seconds) < ENOUGH:
        if floor:
            return TimeSpan(
                low_s=floor, high_s=None, basis=f"{why}; how long a row takes is unknown"
            )
        return TimeSpan(
            low_s=None,
            high_s=None,
            basis="no run of this workflow with this model is known yet; a trial tells",
        )
    low, _, high = quantiles(seconds, n=4, method="inclusive")
    most, least = _at_once(pace, endpoint)
    low_s, high_s = pace.rows * low / most, max(pace.rows * high / least, high) * ROOM
    basis = f"from {source.format(n=len(seconds))}, {_rows(most)} at once"
    if floor > low_s:
        basis += f"; {why}"
    return TimeSpan(low_s=max(low_s, floor), high_s=max(high_s, floor), basis=basis)


def _at_once(pace: Pace, endpoint: Endpoint | None) -> tuple[float, float]:
    """Rows that go through at once, at most and at least."""
    most = float(min(pace.concurrency, pace.rows))
    if endpoint is not None:
        most = min(most, max(1.0, endpoint.slots / max(1, pace.branches)))
        if endpoint.on_this_machine:
            # They share its processors: two at once take about twice as long each.
            return most, 1.0
    return most, most


def _floor(pace: Pace, endpoint: Endpoint | None) -> tuple[float, str]:
    """The least seconds that rates allow, and which of them does."""
    policy = endpoint.policy if endpoint is not None else None
    per_minute = (
        (pace.rows, pace.rows_per_minute, "rows a minute begin"),
        (
            pace.calls,
            policy.requests_per_minute if policy else None,
            "requests a minute are allowed",
        ),
        (pace.tokens, policy.tokens_per_minute if policy else None, "tokens a minute are allowed"),
    )
    floors = [(amount / rate * 60, f"{rate:,} {what}") for amount, rate, what in per_minute if rate]
    return max(floors, default=(0.0, ""))


def _rows(count: float) -> str:
    shown = f"{count:.1f}".removesuffix(".0")
    return f"{shown} row{'' if count == 1 else 's'}"
