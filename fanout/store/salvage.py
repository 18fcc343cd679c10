"""A run put together from its rows, where its timeline can't be read: texts and figures only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fanout.events import (
    AggregatePlanned,
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunStarted,
)
from fanout.types import (
    ENDED_WITH_FANOUT,
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
)

Columns = Mapping[str, object]
LOST = "Why this failed can't be read any more: the record of this run is damaged."


def salvaged(run: Columns, calls: Sequence[Columns]) -> tuple[Event, ...]:
    """Events that draw what `runs` and `calls` still know, in a possible order.

    As plain branches and answers: votes, searches and what prepared an answer are lost.
    """
    branches = [_plan(call) for call in calls if call["role"] == "branch"]
    started = RunStarted(
        at=0.0,
        run_id=RunId(str(run["id"])),
        workflow=str(run["workflow"]),
        title=str(run["title"]),
        topic=str(run["topic"]),
        branches=tuple(branches),
        started_at=_number(run["started_at"]) or 0.0,
    )
    events = [
        event
        for call in calls
        if call["role"] != "preparation"
        for event in _told(call, tuple(plan.id for plan in branches))
    ]
    events.sort(key=lambda event: event.at)
    status = RunStatus(str(run["status"]))
    ended = RunFinished(
        at=max([0.0, *(event.at for event in events)]),
        status=status if status.finished else RunStatus.INTERRUPTED,
    )
    return (started, *events, ended)


def _told(call: Columns, used: tuple[BranchId, ...]) -> Iterator[Event]:
    plan = _plan(call)
    queued, first, finished = (
        _number(call[name]) for name in ("queued_s", "first_token_s", "finished_s")
    )
    at = queued or 0.0
    if call["role"] == "aggregate":
        heading = str(call["title"])
        yield AggregatePlanned(at=at, kind="synthesis", heading=heading, used=used, plan=plan)
    if queued is None:
        return
    yield BranchQueued(at=at, id=plan.id)
    if first is not None or call["text"]:
        yield AttemptStarted(at=at, id=plan.id, attempt=1)
        yield BranchWrote(at=max(at, first or at), id=plan.id, text=str(call["text"]), pieces=1)
    state = BranchState(str(call["state"]))
    yield BranchFinished(
        at=max(at, first or at, finished or at),
        id=plan.id,
        state=state if state.finished else BranchState.STOPPED,
        usage=_usage(call),
        failure=_failure(call, state),
    )


def _plan(call: Columns) -> BranchPlan:
    return BranchPlan(
        id=BranchId(str(call["id"])),
        title=str(call["title"]),
        model=ModelRef(endpoint=EndpointId(str(call["endpoint"])), model=str(call["model"])),
        messages=(),
    )


def _usage(call: Columns) -> Usage | None:
    read, wrote = call["input_tokens"], call["output_tokens"]
    if isinstance(read, int) and isinstance(wrote, int):
        return Usage(input=read, output=wrote)
    return None


def _failure(call: Columns, state: BranchState) -> Failure | None:
    if not state.finished:
        return ENDED_WITH_FANOUT
    kind = call["failure"]
    return Failure(kind=FailureKind(str(kind)), message=LOST) if kind else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
