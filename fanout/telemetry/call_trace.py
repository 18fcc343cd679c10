"""A run's calls and their attempts with the seconds of each, read from its events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchHeld,
    BranchQueued,
    BranchThought,
    BranchWrote,
    Event,
    HedgeSent,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.types import BranchId, BranchPlan, BranchState, Failure, ModelRef


class AttemptTrace:
    """One request; grows while the events are read."""

    def __init__(self, *, number: int, model: ModelRef, began_s: float, ended_s: float) -> None:
        self.number = number
        self.model = model
        self.began_s = began_s
        self.first_s: float | None = None
        """When its first piece came, a thought counted too."""
        self.ended_s = ended_s
        self.failure: Failure | None = None
        self.retry_at_s: float | None = None


class CallTrace:
    """A branch, a preparation or an aggregate with its attempts; grows likewise."""

    def __init__(self, *, plan: BranchPlan, role: str, began_s: float, ended_s: float) -> None:
        self.plan = plan
        self.role = role
        self.began_s = began_s
        self.ended_s = ended_s
        self.attempts: list[AttemptTrace] = []
        self.held: list[tuple[float, str]] = []
        self.hedged: list[float] = []
        self.end: BranchFinished | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTrace:
    """One stretch of a run: from its start, or from where it went on, to its end."""

    started: RunStarted
    began_s: float
    ended_s: float
    resumed: bool
    end: RunFinished
    calls: tuple[CallTrace, ...]


def last_stretch(events: Sequence[Event]) -> RunTrace | None:
    """The newest stretch of a run that has finished; None where it hasn't."""
    first, last = events[0], events[-1]
    if not isinstance(first, RunStarted) or not isinstance(last, RunFinished):
        return None
    resumed = [i for i, event in enumerate(events) if isinstance(event, RunResumed)]
    since = resumed[-1] if resumed else 0
    plans = {plan.id: (plan, "branch") for plan in first.branches}
    for event in events:
        if isinstance(event, AggregatePlanned):
            plans[event.plan.id] = (event.plan, "aggregate")
            plans.update({plan.id: (plan, "preparation") for plan in event.before})
    return RunTrace(
        started=first,
        began_s=events[since].at,
        ended_s=last.at,
        resumed=bool(resumed),
        end=last,
        calls=tuple(_calls(events[since:], plans, last.at)),
    )


def _calls(
    events: Iterable[Event], plans: dict[BranchId, tuple[BranchPlan, str]], until_s: float
) -> list[CallTrace]:
    calls: list[CallTrace] = []
    open_calls: dict[BranchId, CallTrace] = {}
    for event in events:
        if isinstance(event, BranchQueued) and event.id in plans:
            plan, role = plans[event.id]
            call = open_calls.get(event.id)
            if call is None:
                call = CallTrace(plan=plan, role=role, began_s=event.at, ended_s=until_s)
                open_calls[event.id] = call
                calls.append(call)
            continue
        call = open_calls.get(getattr(event, "id", BranchId("")))
        if call is not None:
            _take(call, event)
            if isinstance(event, BranchFinished):
                del open_calls[event.id]
    return calls


def _take(call: CallTrace, event: Event) -> None:
    now = call.attempts[-1] if call.attempts else None
    match event:
        case AttemptStarted():
            model = event.model or call.plan.model
            made = AttemptTrace(
                number=event.attempt, model=model, began_s=event.at, ended_s=call.ended_s
            )
            call.attempts.append(made)
        case BranchWrote() | BranchThought() if now is not None and now.first_s is None:
            now.first_s = event.at
        case BranchHeld():
            call.held.append((event.at, event.reason.value))
        case HedgeSent():
            call.hedged.append(event.at)
        case AttemptFailed() if now is not None:
            now.ended_s, now.failure, now.retry_at_s = event.at, event.failure, event.retry_at
        case BranchFinished():
            call.end, call.ended_s = event, event.at
            if now is not None and now.failure is None:
                now.ended_s = event.at
                bad = event.state in (BranchState.FAILED, BranchState.TIMED_OUT)
                now.failure = event.failure if bad else None
        case _:
            pass
