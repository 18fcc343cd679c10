"""The picture of a run at one moment: screen, export and tests read everything from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fanout.events import FanInReached, MeaningMeasured, PrefixOpened
from fanout.policies import HoldReason, Policies
from fanout.retrieval.passages import Fused, Hit
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    Failure,
    FailureKind,
    MadeWith,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
)
from fanout.voting.ballot import Ballot
from fanout.voting.plans import VotePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of one state; it lasts until the next phase begins."""

    state: BranchState
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a queued branch could not start; it lasts until the next hold or the next phase."""

    reason: HoldReason
    since_s: float
    until_s: float | None = None
    """When it was expected to end; None: nobody knew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """A second request for the same answer."""

    sent_s: float
    late_s: float
    """How long the first request had been waited for."""
    settled: bool = False
    won: bool | None = None
    """True: the second one was faster; False: the first one; None: not yet known, or neither."""
    usage: Usage | None = None
    """What the loser used, as estimated; part of the branch's usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Why and until when a branch backs off."""

    failure: Failure
    at_s: float
    next_attempt: int
    attempts_allowed: int
    next_model: ModelRef | None = None
    """Who is asked next, where that is a fallback."""


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
    attempts_allowed: int = 0
    """As its newest setback said; 0 before there is one."""
    usage: Usage | None = None
    cost: Cost | None = None
    failure: Failure | None = None
    finish_reason: str | None = None
    retry: Retry | None = None
    setbacks: tuple[Failure, ...] = ()
    """Why earlier attempts failed, oldest first: one per stretch of backing off."""
    dropped: str = ""
    """What an attempt had written that broke off and was begun anew; where none of the later ones
    writes anything, it stays the text."""
    model: ModelRef | None = None
    """Who is asked, where that isn't the plan's own model: a fallback."""
    holds: tuple[Hold, ...] = ()
    """Why it had to wait while it was queued, oldest first."""
    hedges: tuple[Hedge, ...] = ()
    thought: int = 0
    """Pieces of thinking in the attempt under way, about one per token."""
    ballot: Ballot | None = None
    """How it voted, where it votes and has finished."""
    queries: tuple[str, ...] = ()
    """What it searched the documents for."""
    hits: tuple[Hit, ...] = ()
    """What that search found, best first."""
    earlier: tuple[Branch, ...] = ()
    """What it did before a person asked it again, oldest first; paid for, and kept."""

    @property
    def id(self) -> BranchId:
        return self.plan.id

    @property
    def title(self) -> str:
        return self.plan.title

    @property
    def answered_by(self) -> ModelRef:
        """Who wrote it, or is asked now: the plan's model or a fallback."""
        return self.model or self.plan.model

    @property
    def hold(self) -> Hold | None:
        """What it waits for now; None where it isn't queued, or nobody said why."""
        if self.state is not BranchState.QUEUED or not self.holds:
            return None
        newest = self.holds[-1]
        return newest if newest.since_s >= self.phases[-1].since_s else None

    def held_s(self, reason: HoldReason, now_s: float) -> float:
        """Seconds of queueing for that reason."""
        starts = sorted(
            [*(p.since_s for p in self.phases), *(h.since_s for h in self.holds), now_s]
        )
        ends = {
            hold: next((at for at in starts if at > hold.since_s), hold.since_s)
            for hold in self.holds
        }
        return sum(end - hold.since_s for hold, end in ends.items() if hold.reason is reason)

    @property
    def state(self) -> BranchState:
        return self.phases[-1].state if self.phases else BranchState.READY

    @property
    def not_needed(self) -> bool:
        """Called off, as by a vote that was decided; what the budget left out was needed."""
        return self.state is BranchState.SKIPPED and self.failure is None

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
        """Every time it was asked: the earlier ones, then the newest."""
        return (*self.earlier, self)

    @property
    def shown(self) -> Branch:
        """The go whose text a person reads: a new one takes the place of an old one's text only
        once it has succeeded."""
        if self.state.succeeded:
            return self
        written = [go for go in self.earlier if go.text.strip()]
        return written[-1] if written else self

    @property
    def shown_text(self) -> str:
        return self.shown.text

    def backed_off_s(self, now_s: float, kind: FailureKind) -> float:
        """Seconds of backing off after failures of that kind."""
        if not self.phases:
            return 0.0
        ends = [phase.since_s for phase in self.phases[1:]] + [now_s]
        waits = [
            max(0.0, end - phase.since_s)
            for phase, end in zip(self.phases, ends, strict=True)
            if phase.state is BranchState.RETRYING
        ]
        told = zip(waits, self.setbacks, strict=True)
        return sum(wait for wait, failure in told if failure.kind is kind)

    def own_s(self, now_s: float) -> float:
        """Seconds the model itself worked: waiting for the first token and writing."""
        return self.spent_s(BranchState.WAITING, now_s) + self.spent_s(BranchState.WRITING, now_s)

    def _first(self, state: BranchState) -> float | None:
        return next((phase.since_s for phase in self.phases if phase.state is state), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """The combined answer: what it is made of, and the call that writes it."""

    kind: str
    heading: str
    """Follows what happened: "Synthesis of 2 of 3: Poem failed"."""
    used: tuple[BranchId, ...]
    branch: Branch
    before: tuple[Branch, ...] = ()
    """Calls that prepared it: a proposed checklist, the judges of a best of n."""
    vote: VotePlan | None = None
    """How the ballots of the calls in `before` are counted."""
    passages: tuple[Fused, ...] = ()
    """What it was written from, in the order of its citations: the first is [1]."""
    answer: str | None = None
    """Its readable form, where that isn't the call's raw text."""
    previous: Aggregate | None = None
    """The answer from before the run went on; it is shown until this one has succeeded."""

    @property
    def id(self) -> BranchId:
        return self.branch.plan.id

    @property
    def text(self) -> str:
        """What a person reads."""
        return self.branch.text if self.answer is None else self.answer

    @property
    def shown(self) -> Aggregate:
        """The answer that a person reads."""
        if self.previous is None or self.branch.state.succeeded:
            return self
        return self.previous

    @property
    def calls(self) -> tuple[Branch, ...]:
        return (*self.before, self.branch)


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
    kind: str = "sectioning"
    """The workflow's kind."""
    vote: VotePlan | None = None
    """How the branches' votes are counted; None where they don't vote."""
    meaning: MeaningMeasured | None = None
    """The newest measure of how close the branches are in meaning; None without embeddings."""
    made_with: MadeWith | None = None
    """Definition, endpoints and versions behind it; None in runs that no engine started."""
    policies: Policies | None = None
    """How it behaves under fire; None in runs of earlier versions."""
    prefixes: tuple[PrefixOpened, ...] = ()
    """Where branches' common beginning was computed once."""
    fan_in: FanInReached | None = None
    """Set where the answer did not wait for all: who was late."""
    aggregate_kind: str | None = None
    aggregates: tuple[Aggregate, ...] = ()
    """Side by side, in the order in which they were begun; at most one has the id `AGGREGATE`."""
    failure: Failure | None = None
    idle_s: float = 0.0
    """Seconds between a finish and a resume, when nothing of the run was going on."""
    _index: dict[BranchId, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def aggregate(self) -> Aggregate | None:
        """The workflow's own combined answer; the others stand in `aggregates` beside it."""
        return next((made for made in self.aggregates if made.id == AGGREGATE), None)

    @property
    def late(self) -> tuple[Branch, ...]:
        """Branches with a result that came too late for the run's own answer."""
        if self.fan_in is None or self.aggregate is None:
            return ()
        used = self.aggregate.used
        return tuple(
            b
            for b in self.branches
            if b.id in self.fan_in.late and b.state.succeeded and b.id not in used
        )

    def branch(self, branch_id: BranchId) -> Branch:
        """The branch of that id, combining calls included; KeyError if there is none."""
        if branch_id in self._index:
            return self.branches[self._index[branch_id]]
        for call in (call for made in self.aggregates for call in made.calls):
            if call.id == branch_id:
                return call
        raise KeyError(branch_id)

    @property
    def goes(self) -> tuple[Branch, ...]:
        """Every call that was ever made for this run, those asked again counted each time."""
        return tuple(go for call in self.calls for go in call.goes)

    def wall_s(self, now_s: float) -> float:
        """Seconds the run took, or has taken by `now_s` while it is running."""
        return (self.at if self.status.finished else now_s) - self.idle_s

    @property
    def calls(self) -> tuple[Branch, ...]:
        """All branches, and behind them every call that combines."""
        return (*self.branches, *(call for made in self.aggregates for call in made.calls))
