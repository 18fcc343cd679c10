"""The pure fold that draws a run's picture from its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from fanout.events import (
    AggregatePlanned,
    AggregateWritten,
    AttemptFailed,
    AttemptStarted,
    BallotCast,
    BranchFinished,
    BranchHeld,
    BranchQueued,
    BranchThought,
    BranchWrote,
    Event,
    FanInReached,
    HedgeSent,
    HedgeSettled,
    MeaningMeasured,
    PassagesFound,
    PrefixOpened,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.snapshot import Aggregate, Branch, Hedge, Hold, Phase, Retry, Snapshot
from fanout.types import AGGREGATE, BranchId, BranchState, RunStatus


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
        kind=event.kind,
        vote=event.vote,
        made_with=event.made_with,
        policies=event.policies,
        aggregate_kind=event.aggregate_kind,
        _index={plan.id: i for i, plan in enumerate(event.branches)},
    )


def apply(snapshot: Snapshot, event: Event) -> Snapshot:
    """The next picture. Pure: no clock, no mutation; events of one run only, in order."""
    match event:
        case RunStarted():
            return begin(event)
        case AggregatePlanned():
            return _begin_aggregate(snapshot, event)
        case AggregateWritten():
            return _next(
                snapshot,
                event.at,
                aggregates=tuple(
                    replace(made, answer=event.text) if made.id == event.id else made
                    for made in snapshot.aggregates
                ),
            )
        case MeaningMeasured():
            return _next(snapshot, event.at, meaning=event)
        case PrefixOpened():
            return _next(snapshot, event.at, prefixes=(*snapshot.prefixes, event))
        case FanInReached():
            return _next(snapshot, event.at, fan_in=event)
        case RunResumed():
            return _resume(snapshot, event)
        case RunFinished():
            return _next(snapshot, event.at, status=event.status, failure=event.failure)
        case _:
            return _put(snapshot, _apply_branch(snapshot.branch(event.id), event), event.at)


def write(snapshot: Snapshot, written: Sequence[BranchWrote]) -> Snapshot:
    """What `apply` makes of them one after another, for little more than one of them costs."""
    if not written:
        return snapshot
    by_call: dict[BranchId, list[BranchWrote]] = {}
    for event in written:
        by_call.setdefault(event.id, []).append(event)
    calls = [_written(snapshot.branch(name), events) for name, events in by_call.items()]
    at, seq = written[-1].at, snapshot.seq + len(written)
    branches, aggregates = list(snapshot.branches), snapshot.aggregates
    for call in calls:
        i = snapshot._index.get(call.id)
        if i is not None:
            branches[i] = call
        else:
            aggregates = tuple(_with(made, call) for made in aggregates)
    return replace(snapshot, seq=seq, at=at, branches=tuple(branches), aggregates=aggregates)


def _begin_aggregate(snapshot: Snapshot, event: AggregatePlanned) -> Snapshot:
    """A new aggregate; planned again before it is written, it keeps what came before it."""
    begun = next((made for made in snapshot.aggregates if made.id == event.plan.id), None)
    again = begun if begun is not None and not begun.branch.phases else None
    aggregate = Aggregate(
        kind=event.kind,
        heading=event.heading,
        used=event.used,
        branch=Branch(plan=event.plan, earlier=again.branch.earlier if again else ()),
        before=tuple(Branch(plan=plan) for plan in event.before) or (again.before if again else ()),
        vote=event.vote,
        passages=event.passages,
        previous=again.previous if again else None,
    )
    aggregates = tuple(aggregate if made is begun else made for made in snapshot.aggregates)
    if begun is None:
        aggregates = (*aggregates, aggregate)
    return _next(snapshot, event.at, aggregates=aggregates)


def _resume(snapshot: Snapshot, event: RunResumed) -> Snapshot:
    aggregates = snapshot.aggregates
    if not event.combining and snapshot.aggregate_kind is not None:
        aggregates = tuple(_anew(m) if m.id == AGGREGATE else m for m in aggregates)
    return _next(
        snapshot,
        event.at,
        status=RunStatus.RUNNING,
        failure=None,
        aggregates=aggregates,
        fan_in=snapshot.fan_in if event.combining else None,
        idle_s=snapshot.idle_s + event.at - snapshot.at,
    )


def _anew(made: Aggregate) -> Aggregate:
    """The own answer when a run goes on: planned again, while what was written stays readable."""
    past = tuple(replace(go, earlier=()) for call in made.calls for go in call.goes if go.phases)
    return Aggregate(
        kind=made.kind,
        heading=made.heading,
        used=made.used,
        branch=Branch(plan=made.branch.plan, earlier=past),
        vote=made.vote,
        passages=made.passages,
        previous=_alone(made.shown) if made.shown.text.strip() else None,
    )


def _alone(made: Aggregate) -> Aggregate:
    return made if made.previous is None else replace(made, previous=None)


def _apply_branch(
    branch: Branch,
    event: BranchQueued
    | BranchHeld
    | AttemptStarted
    | BranchThought
    | HedgeSent
    | HedgeSettled
    | BranchWrote
    | AttemptFailed
    | BranchFinished
    | BallotCast
    | PassagesFound,
) -> Branch:
    match event:
        case BranchQueued():
            phases = _entered(branch, BranchState.QUEUED, event.at)
            if not branch.state.finished:
                following = branch.retry.next_model if branch.retry is not None else None
                model = following or branch.model
                return replace(branch, phases=phases, retry=None, model=model)
            past = (*branch.earlier, replace(branch, earlier=()))
            return Branch(plan=branch.plan, phases=phases[-1:], earlier=past)
        case BranchHeld():
            hold = Hold(reason=event.reason, since_s=event.at, until_s=event.until)
            return replace(branch, holds=(*branch.holds, hold))
        case AttemptStarted():
            phases = _entered(branch, BranchState.WAITING, event.at)
            return replace(
                branch,
                phases=phases,
                attempts=event.attempt,
                retry=None,
                model=event.model,
                thought=0,
            )
        case BranchThought():
            return replace(branch, thought=branch.thought + event.pieces)
        case HedgeSent():
            return replace(
                branch, hedges=(*branch.hedges, Hedge(sent_s=event.at, late_s=event.late_s))
            )
        case HedgeSettled():
            *before, newest = branch.hedges
            settled = replace(newest, settled=True, won=event.won, usage=event.usage)
            return replace(branch, hedges=(*before, settled))
        case BranchWrote():
            return _written(branch, (event,))
        case AttemptFailed():
            retry = Retry(
                failure=event.failure,
                at_s=event.retry_at,
                next_attempt=branch.attempts + 1,
                attempts_allowed=event.attempts_allowed,
                next_model=event.next_model,
            )
            phases = _entered(branch, BranchState.RETRYING, event.at)
            return replace(
                branch,
                phases=phases,
                text="",
                pieces=0,
                attempts_allowed=event.attempts_allowed,
                dropped=branch.text or branch.dropped,
                retry=retry,
                setbacks=(*branch.setbacks, event.failure),
            )
        case BranchFinished():
            return replace(
                branch,
                phases=_entered(branch, event.state, event.at),
                text=branch.text if event.state.succeeded else branch.text or branch.dropped,
                usage=event.usage,
                cost=event.cost,
                failure=event.failure,
                finish_reason=event.finish_reason,
                retry=None,
            )
        case BallotCast():
            return replace(branch, ballot=event.ballot)
        case PassagesFound():
            return replace(branch, queries=event.queries, hits=event.hits)
        case _:
            assert_never(event)


def _written(branch: Branch, events: Sequence[BranchWrote]) -> Branch:
    phases = branch.phases
    if branch.state is not BranchState.WRITING:
        phases = _entered(branch, BranchState.WRITING, events[0].at)
    return replace(
        branch,
        phases=phases,
        text=branch.text + "".join(event.text for event in events),
        pieces=branch.pieces + sum(event.pieces for event in events),
    )


def _entered(branch: Branch, state: BranchState, at: float) -> tuple[Phase, ...]:
    return (*branch.phases, Phase(state=state, since_s=at))


def _put(snapshot: Snapshot, branch: Branch, at: float) -> Snapshot:
    i = snapshot._index.get(branch.id)
    if i is not None:
        branches = (*snapshot.branches[:i], branch, *snapshot.branches[i + 1 :])
        return _next(snapshot, at, branches=branches)
    return _next(snapshot, at, aggregates=tuple(_with(a, branch) for a in snapshot.aggregates))


def _with(aggregate: Aggregate, branch: Branch) -> Aggregate:
    if aggregate.id == branch.id:
        return replace(aggregate, branch=branch)
    if any(call.id == branch.id for call in aggregate.before):
        before = tuple(branch if call.id == branch.id else call for call in aggregate.before)
        return replace(aggregate, before=before)
    return aggregate


def _next(snapshot: Snapshot, at: float, **changes: object) -> Snapshot:
    return replace(snapshot, seq=snapshot.seq + 1, at=at, **changes)  # type: ignore[arg-type]
