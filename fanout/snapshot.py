"""The picture of a run at one moment, and the pure fold that draws it from events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    Failure,
    RunId,
    RunStatus,
    Usage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of one state; it lasts until the next phase begins."""

    state: BranchState
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Why and until when a branch backs off."""

    failure: Failure
    at_s: float
    next_attempt: int
    attempts_allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One call as it stands: the combining call is drawn from this very type."""

    plan: BranchPlan
    phases: tuple[Phase, ...] = ()
    text: str = ""
    """Kept when the branch fails or is stopped."""
    pieces: int = 0
    """Stream pieces so far, about one per token; `usage` is exact and comes at the end."""
    attempts: int = 0
    usage: Usage | None = None
    cost: Cost | None = None
    failure: Failure | None = None
    finish_reason: str | None = None
    retry: Retry | None = None
    earlier: tuple[Branch, ...] = ()
    """What it did before a person asked it again, oldest first; paid for, and kept."""

    @property
    def id(self) -> BranchId:
        return self.plan.id

    @property
    def title(self) -> str:
        return self.plan.title

    @property
    def state(self) -> BranchState:
        return self.phases[-1].state if self.phases else BranchState.READY

    @property
    def queued_s(self) -> float | None:
        """Second of the run at which it began to wait for a slot."""
        return self.phases[0].since_s if self.phases else None

    @property
    def started_s(self) -> float | None:
        """Second at which its first request was sent."""
        return self._first(BranchState.WAITING)

    @property
    def first_token_s(self) -> float | None:
        return self._first(BranchState.WRITING)

    @property
    def finished_s(self) -> float | None:
        return self.phases[-1].since_s if self.state.finished else None

    def spent_s(self, state: BranchState, now_s: float) -> float:
        """Seconds spent in one state up to `now_s`; a finished state lasts no time."""
        if state.finished or not self.phases:
            return 0.0
        ends = [phase.since_s for phase in self.phases[1:]] + [now_s]
        return sum(
            max(0.0, end - phase.since_s)
            for phase, end in zip(self.phases, ends, strict=True)
            if phase.state is state
        )

    @property
    def goes(self) -> tuple[Branch, ...]:
        """Every time it was asked: the earlier ones, then the one whose text stands now."""
        return (*self.earlier, self)

    def own_s(self, now_s: float) -> float:
        """Seconds the model itself worked: waiting for the first token and writing."""
        return self.spent_s(BranchState.WAITING, now_s) + self.spent_s(BranchState.WRITING, now_s)

    def _first(self, state: BranchState) -> float | None:
        return next((phase.since_s for phase in self.phases if phase.state is state), None)

    def _enter(self, state: BranchState, at: float) -> tuple[Phase, ...]:
        return (*self.phases, Phase(state=state, since_s=at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """The combined answer: what it is made of, and the call that writes it."""

    kind: str
    heading: str
    """Follows what happened: "Synthesis of 2 of 3: Poem failed"."""
    used: tuple[BranchId, ...]
    branch: Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    run_id: RunId
    workflow: str
    title: str
    topic: str
    started_at: float
    """Unix time in seconds."""
    seq: int = 0
    """How many events were folded into it."""
    at: float = 0.0
    """Second of the newest event."""
    status: RunStatus = RunStatus.RUNNING
    branches: tuple[Branch, ...] = ()
    """Planned order, which is column order."""
    aggregate_kind: str | None = None
    aggregate: Aggregate | None = None
    failure: Failure | None = None
    replaced: tuple[Branch, ...] = ()
    """Combining calls from before the run was resumed, while no newer one has taken their place."""
    idle_s: float = 0.0
    """Seconds between a finish and a resume, when nothing of the run was going on."""
    _index: dict[BranchId, int] = field(default_factory=dict, repr=False, compare=False)

    def branch(self, branch_id: BranchId) -> Branch:
        """The branch of that id, the combining call included; KeyError if there is none."""
        if branch_id == AGGREGATE and self.aggregate is not None:
            return self.aggregate.branch
        return self.branches[self._index[branch_id]]

    @property
    def goes(self) -> tuple[Branch, ...]:
        """Every call that was ever made for this run, those asked again counted each time."""
        return (*(go for call in self.calls for go in call.goes), *self.replaced)

    def wall_s(self, now_s: float) -> float:
        """Seconds the run took, or has taken by `now_s` while it is running."""
        return (self.at if self.status.finished else now_s) - self.idle_s

    @property
    def calls(self) -> tuple[Branch, ...]:
        """All branches, and the combining call behind them if there is one."""
        return (*self.branches, self.aggregate.branch) if self.aggregate else self.branches


def begin(event: RunStarted) -> Snapshot:
    """The first picture of a run: every branch ready."""
    return Snapshot(
        run_id=event.run_id,
        workflow=event.workflow,
        title=event.title,
        topic=event.topic,
        started_at=event.started_at,
        seq=1,
        at=event.at,
        branches=tuple(Branch(plan=plan) for plan in event.branches),
        aggregate_kind=event.aggregate_kind,
        _index={plan.id: i for i, plan in enumerate(event.branches)},
    )


def apply(snapshot: Snapshot, event: Event) -> Snapshot:
    """The next picture. Pure: no clock, no mutation; events of one run only, in order."""
    match event:
        case RunStarted():
            return begin(event)
        case AggregatePlanned():
            aggregate = Aggregate(
                kind=event.kind,
                heading=event.heading,
                used=event.used,
                branch=Branch(plan=event.plan, earlier=snapshot.replaced),
            )
            return replace(
                snapshot, seq=snapshot.seq + 1, at=event.at, aggregate=aggregate, replaced=()
            )
        case RunResumed():
            combined = snapshot.aggregate.branch.goes if snapshot.aggregate else ()
            return replace(
                snapshot,
                seq=snapshot.seq + 1,
                at=event.at,
                status=RunStatus.RUNNING,
                failure=None,
                aggregate=None,
                replaced=(*snapshot.replaced, *(replace(go, earlier=()) for go in combined)),
                idle_s=snapshot.idle_s + event.at - snapshot.at,
            )
        case RunFinished():
            return replace(
                snapshot,
                seq=snapshot.seq + 1,
                at=event.at,
                status=event.status,
                failure=event.failure,
            )
        case _:
            return _put(snapshot, _apply_branch(snapshot.branch(event.id), event), event.at)


def _apply_branch(
    branch: Branch,
    event: BranchQueued | AttemptStarted | BranchWrote | AttemptFailed | BranchFinished,
) -> Branch:
    match event:
        case BranchQueued():
            phases = branch._enter(BranchState.QUEUED, event.at)
            if not branch.state.finished:
                return replace(branch, phases=phases, retry=None)
            past = (*branch.earlier, replace(branch, earlier=()))
            return Branch(plan=branch.plan, phases=phases[-1:], earlier=past)
        case AttemptStarted():
            phases = branch._enter(BranchState.WAITING, event.at)
            return replace(branch, phases=phases, attempts=event.attempt, retry=None)
        case BranchWrote():
            phases = branch.phases
            if branch.state is not BranchState.WRITING:
                phases = branch._enter(BranchState.WRITING, event.at)
            return replace(
                branch,
                phases=phases,
                text=branch.text + event.text,
                pieces=branch.pieces + event.pieces,
            )
        case AttemptFailed():
            retry = Retry(
                failure=event.failure,
                at_s=event.retry_at,
                next_attempt=branch.attempts + 1,
                attempts_allowed=event.attempts_allowed,
            )
            phases = branch._enter(BranchState.RETRYING, event.at)
            return replace(branch, phases=phases, text="", pieces=0, retry=retry)
        case BranchFinished():
            return replace(
                branch,
                phases=branch._enter(event.state, event.at),
                usage=event.usage,
                cost=event.cost,
                failure=event.failure,
                finish_reason=event.finish_reason,
                retry=None,
            )
        case _:
            assert_never(event)


def _put(snapshot: Snapshot, branch: Branch, at: float) -> Snapshot:
    if branch.id == AGGREGATE and snapshot.aggregate is not None:
        aggregate = replace(snapshot.aggregate, branch=branch)
        return replace(snapshot, seq=snapshot.seq + 1, at=at, aggregate=aggregate)
    i = snapshot._index[branch.id]
    branches = (*snapshot.branches[:i], branch, *snapshot.branches[i + 1 :])
    return replace(snapshot, seq=snapshot.seq + 1, at=at, branches=branches)
