"""Everything that can happen during a run, each with the second at which it did.

A run is the list of its events: live view, history, replay and export all fold the same list
with `fanout.snapshot.apply`, so there is no second source of truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fanout.types import BranchId, BranchPlan, BranchState, Cost, Failure, RunId, RunStatus, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    at: float
    """Seconds since the run began; 0 here. The same on every event below."""
    run_id: RunId
    workflow: str
    title: str
    topic: str
    branches: tuple[BranchPlan, ...]
    started_at: float
    """Unix time in seconds."""
    aggregate_kind: str | None = None
    """What the workflow means to do with the results; None combines nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatePlanned:
    """The branches are in and will be combined; the combining call's own events follow."""

    at: float
    kind: str
    heading: str
    used: tuple[BranchId, ...]
    plan: BranchPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchQueued:
    at: float
    id: BranchId


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """A slot was granted and the request sent."""

    at: float
    id: BranchId
    attempt: int
    """1 for the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchWrote:
    at: float
    id: BranchId
    text: str
    pieces: int
    """Stream pieces that this text came in: about one per token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed:
    """An attempt failed and another will follow; text that it wrote is dropped."""

    at: float
    id: BranchId
    failure: Failure
    retry_at: float
    """The second of the run at which the next attempt may start."""
    attempts_allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchFinished:
    at: float
    id: BranchId
    state: BranchState
    usage: Usage | None = None
    cost: Cost | None = None
    """None is unknown."""
    failure: Failure | None = None
    finish_reason: str | None = None
    """As the endpoint said it; "length" means the answer reached max_tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A finished run goes on: these branches are asked again, then everything is combined anew."""

    at: float
    branches: tuple[BranchId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    at: float
    status: RunStatus
    failure: Failure | None = None


Event: TypeAlias = (
    RunStarted
    | AggregatePlanned
    | BranchQueued
    | AttemptStarted
    | BranchWrote
    | AttemptFailed
    | BranchFinished
    | RunResumed
    | RunFinished
)
