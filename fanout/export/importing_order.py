"""An imported timeline as the picture that it leads to, if it is one that a run can have.

The fold trusts its events: the engine never lets a finished branch write on, nor ends a run in the
middle of a call. A file that was edited by hand may do anything, so here every event is held
against the picture before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

from fanout.errors import InputError
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
from fanout.export.importing_limits import LONGEST_TEXT, MOST_CALLS, MOST_OTHER_EVENTS, refused
from fanout.fold import apply, begin
from fanout.snapshot import Snapshot
from fanout.timeline import compact
from fanout.types import AGGREGATE, BranchId, BranchState

_AtWork: TypeAlias = (
    AttemptStarted | BranchThought | HedgeSent | BranchWrote | AttemptFailed | BranchFinished
)
_HELD = (BranchState.QUEUED, BranchState.WAITING, BranchState.WRITING, BranchState.RETRYING)


def picture(events: Sequence[Event]) -> Snapshot:
    """The fold of events whose values have been checked; InputError names the first that is wrong.

    Pieces of text that nothing came between are folded as one, as folding costs as much as the
    text is long: the picture is the same.
    """
    started = events[0] if events else None
    if not isinstance(started, RunStarted):
        raise refused("a run begins with run_started", "timeline[0]")
    for index, (one, other) in enumerate(pairwise(events), 1):
        if other.at < one.at:
            raise refused("it happens before the event in front of it", f"timeline[{index}].at")
    joined = compact(events, float("inf"))
    if sum(not isinstance(event, BranchWrote) for event in joined) > MOST_OTHER_EVENTS:
        raise refused(f"it has more than {MOST_OTHER_EVENTS:,} events besides its text")
    if not 0 < len(started.branches) <= MOST_CALLS:
        raise refused(f"a run has 1 to {MOST_CALLS} branches", "timeline[0].branches")
    if any(plan.id == AGGREGATE for plan in started.branches):
        raise refused(f'no branch can be called "{AGGREGATE}"', "timeline[0].branches")
    snapshot = begin(started)
    for event in joined[1:]:
        try:
            _check(snapshot, event)
            snapshot = apply(snapshot, event)
        except InputError as error:
            raise refused(str(error), _place(event, events)) from None
        except KeyError as error:
            raise refused(f"there is no branch {error}", _place(event, events)) from None
    return replace(snapshot, seq=len(events), at=events[-1].at)


def _check(snapshot: Snapshot, event: Event) -> None:
    over = snapshot.status.finished
    if over and not isinstance(event, RunResumed):
        raise InputError("the run has ended before it, and was not resumed")
    match event:
        case RunStarted():
            raise InputError("a run starts only once")
        case AggregatePlanned():
            _check_aggregate(snapshot, event)
        case (
            AttemptStarted()
            | BranchThought()
            | BranchWrote()
            | HedgeSent()
            | AttemptFailed()
            | BranchFinished()
        ):
            _check_at_work(snapshot, event)
        case HedgeSettled():
            if not any(not hedge.settled for hedge in snapshot.branch(event.id).hedges[-1:]):
                raise InputError(f"{event.id} has no second request under way")
        case AggregateWritten():
            if all(made.id != event.id for made in snapshot.aggregates):
                raise InputError(f"there is no combined answer {event.id!r}")
        case BranchQueued() | BranchHeld() | BallotCast() | PassagesFound():
            snapshot.branch(event.id)
        case MeaningMeasured() | PrefixOpened() | RunResumed():
            for branch_id in event.branches:
                snapshot.branch(branch_id)
        case FanInReached():
            for branch_id in event.late:
                snapshot.branch(branch_id)
        case RunFinished():
            for call in snapshot.calls:
                if call.state in _HELD:
                    raise InputError(f"the run ends while {call.id} is still at work")


def _check_at_work(snapshot: Snapshot, event: _AtWork) -> None:
    branch = snapshot.branch(event.id)
    if branch.state.finished:
        raise InputError(f"{event.id} has ended before it")
    if isinstance(event, BranchWrote) and len(branch.text) + len(event.text) > LONGEST_TEXT:
        raise InputError(f"{event.id} wrote more than {LONGEST_TEXT:,} characters")


def _check_aggregate(snapshot: Snapshot, event: AggregatePlanned) -> None:
    if event.plan.id != AGGREGATE and not event.plan.id.startswith(f"{AGGREGATE}-"):
        raise InputError(f"{event.plan.id!r} is no id of a combined answer")
    taken: set[BranchId] = {branch.id for branch in snapshot.branches}
    for made in snapshot.aggregates:
        taken |= {call.id for call in made.calls} if made.id != event.plan.id else set()
    if taken & {plan.id for plan in (*event.before, event.plan)}:
        raise InputError("another call has the same id")
    if len(taken) + len(event.before) >= MOST_CALLS:
        raise InputError(f"there are more than {MOST_CALLS} calls")
    for branch_id in event.used:
        snapshot.branch(branch_id)


def _place(event: Event, events: Sequence[Event]) -> str:
    """Where the event stands in the file; of joined pieces of text the first."""
    for index, each in enumerate(events):
        same = each is event or (
            isinstance(each, BranchWrote)
            and isinstance(event, BranchWrote)
            and (each.id, each.at) == (event.id, event.at)
        )
        if same:
            return f"timeline[{index}]"
    return "its timeline"
