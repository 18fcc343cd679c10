"""Everything that can happen during a run, each with the second at which it did.

A run is the list of its events: live view, history, replay and export all fold the same list
with `fanout.snapshot.apply`, so there is no second source of truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from fanout.policies import HoldReason, Policies
from fanout.retrieval.passages import Fused, Hit
from fanout.types import (
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    Failure,
    MadeWith,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
)
from fanout.voting.ballot import Ballot
from fanout.voting.plans import VotePlan


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
    kind: str = "sectioning"
    """The workflow's kind."""
    vote: VotePlan | None = None
    """How the branches' votes will be counted; None where they don't vote."""
    made_with: MadeWith | None = None
    """None in runs that no engine started, such as those of tests."""
    policies: Policies | None = None
    """How it behaves under fire; None in runs of earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatePlanned:
    """Branches will be combined; the combining call's own events follow.

    A run may hold several side by side, told apart by the id of their plan.
    """

    at: float
    kind: str
    heading: str
    used: tuple[BranchId, ...]
    plan: BranchPlan
    before: tuple[BranchPlan, ...] = ()
    """Calls that prepare it: a proposed checklist, the judges of a best of n."""
    vote: VotePlan | None = None
    """How the ballots of the calls in `before` will be counted."""
    passages: tuple[Fused, ...] = ()
    """What it is written from, in the order of its citations: the first is [1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchQueued:
    at: float
    id: BranchId


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchHeld:
    """A queued branch can't start yet, and why; held again, the newest reason counts."""

    at: float
    id: BranchId
    reason: HoldReason
    until: float | None = None
    """The second of the run at which it is expected to go on; None: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixOpened:
    """What these branches share at the beginning was computed once, before they started."""

    at: float
    branches: tuple[BranchId, ...]
    tokens: int
    """About how many they share."""
    took_s: float
    by: BranchId | None = None
    """The branch that went ahead; None where the server itself copied its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """A slot was granted and the request sent."""

    at: float
    id: BranchId
    attempt: int
    """1 for the first."""
    model: ModelRef | None = None
    """Who is asked, where that isn't the plan's own model: a fallback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchThought:
    """A model thinks before it writes; its thoughts are counted, not shown."""

    at: float
    id: BranchId
    pieces: int
    """Stream pieces of thinking since the last such event: about one per token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeSent:
    """The first token is late, so the same was asked a second time; the first token wins."""

    at: float
    id: BranchId
    late_s: float
    """How long the first request had been waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeSettled:
    """One of the two requests has won, and the other was hung up on, or both have failed."""

    at: float
    id: BranchId
    won: bool | None
    """True: the second one; False: the first one; None: neither."""
    usage: Usage | None = None
    """What the loser used, as far as it is known: an estimate. It is part of the branch's usage."""


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
    next_model: ModelRef | None = None
    """Who is asked next, where that is another model than was asked before: a fallback."""


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
class BallotCast:
    """A finished branch's answer was read as a vote, or as an abstention."""

    at: float
    id: BranchId
    ballot: Ballot


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagesFound:
    """A branch searched the documents; `queries` are what it searched for."""

    at: float
    id: BranchId
    queries: tuple[str, ...]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningMeasured:
    """How close the branches' texts are in meaning, by the endpoint's own embeddings."""

    at: float
    model: str
    """The embedding model. What its calls cost is not part of the run's cost."""
    branches: tuple[BranchId, ...]
    cosines: tuple[tuple[float, ...], ...]
    """n x n, -1 to 1, in the order of `branches`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateWritten:
    """The combining call's answer in its final, readable form, where that isn't its raw text."""

    at: float
    id: BranchId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FanInReached:
    """The fan-in policy has what it asked for; these branches are late for the answer.

    They go on, and what they write is kept beside the answer.
    """

    at: float
    late: tuple[BranchId, ...]
    by: Literal["k_of_n", "deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """A finished run goes on: these branches are asked again, then everything is combined anew."""

    at: float
    branches: tuple[BranchId, ...]
    combining: bool = False
    """Only another aggregate is written, beside those that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    at: float
    status: RunStatus
    failure: Failure | None = None


Event: TypeAlias = (
    RunStarted
    | AggregatePlanned
    | BranchQueued
    | BranchHeld
    | PrefixOpened
    | AttemptStarted
    | BranchThought
    | HedgeSent
    | HedgeSettled
    | BranchWrote
    | AttemptFailed
    | BranchFinished
    | BallotCast
    | PassagesFound
    | AggregateWritten
    | MeaningMeasured
    | FanInReached
    | RunResumed
    | RunFinished
)
