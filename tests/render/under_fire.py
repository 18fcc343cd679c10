"""A run in which everything happens at once that limits, failures and stragglers can do to it."""

from __future__ import annotations

from decimal import Decimal

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
    FanInReached,
    HedgeSent,
    HedgeSettled,
    PrefixOpened,
    RunFinished,
    RunStarted,
)
from fanout.policies import FanIn, HoldReason, Policies
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointFact,
    EndpointId,
    Failure,
    FailureKind,
    MadeWith,
    Message,
    ModelRef,
    Price,
    RunId,
    RunStatus,
    Usage,
)

ACME = EndpointId("acme")
BIG = ModelRef(endpoint=ACME, model="lab/big")
SMALL = ModelRef(endpoint=ACME, model="lab/small")
TEXT = "Why did the laptop sneeze? It had caught a **virus** at work."
LIMITED = Failure(kind=FailureKind.RATE_LIMIT, message="Acme asked to wait.", retryable=True)
BROKEN = Failure(kind=FailureKind.SERVER, message="Acme answered with an error.", retryable=True)
CUT = Failure(kind=FailureKind.CONNECTION, message="The line broke in mid-answer.", retryable=True)
OPEN = Failure(kind=FailureKind.SERVER, message="Acme is left alone for 14 s. Retry then.")
SPENT = Failure(kind=FailureKind.BUDGET, message="Up to $0.012 is needed, $0.004 is left.")
COST = Cost(
    usd=Decimal("0.0012"), price=Price(input=Decimal(1), output=Decimal(2), source="a list")
)
COLUMNS = (
    "slot", "rate", "pause", "prefix", "opener", "thinker", "retry", "fallback", "fallen",
    "restart", "dropped", "hedge", "won", "lost", "budget", "done", "late", "straggler",
)  # fmt: skip
SENT = tuple(name for name in COLUMNS[4:] if name != "budget")


def under_fire() -> tuple[Event, ...]:
    """As it stands after 4 s: a column in each situation, named for it."""
    events: list[Event] = [
        _started(),
        *(BranchQueued(at=0.0, id=BranchId(name)) for name in COLUMNS),
        _held("slot", HoldReason.SLOT),
        _held("rate", HoldReason.RATE, until=16.0),
        _held("pause", HoldReason.PAUSE, until=6.0),
        _held("prefix", HoldReason.PREFIX),
        *(AttemptStarted(at=0.2, id=BranchId(name), attempt=1) for name in SENT),
        *(_wrote(name, 0.6) for name in ("restart", "dropped", "done")),
        _failed("fallen", 1.0, BROKEN, 1.4, SMALL),
        BranchQueued(at=1.4, id=BranchId("fallen")),
        AttemptStarted(at=1.4, id=BranchId("fallen"), attempt=2, model=SMALL),
        _wrote("fallen", 2.0),
        _failed("restart", 1.5, CUT, 6.0),
        _failed("dropped", 1.5, CUT, 2.0),
        BranchQueued(at=2.0, id=BranchId("dropped")),
        AttemptStarted(at=2.0, id=BranchId("dropped"), attempt=2),
        _ended("dropped", 3.0, BranchState.FAILED, OPEN),
        _ended("done", 2.2),
        *(HedgeSent(at=2.3, id=BranchId(n), late_s=2.1) for n in ("hedge", "won", "lost")),
        HedgeSettled(at=2.6, id=BranchId("won"), won=True, usage=Usage(input=20, estimated=True)),
        HedgeSettled(at=2.6, id=BranchId("lost"), won=False, usage=Usage(input=20, estimated=True)),
        *(_wrote(name, 2.6) for name in ("won", "lost", "late", "straggler")),
        BranchThought(at=2.6, id=BranchId("thinker"), pieces=312),
        _ended("budget", 2.6, BranchState.SKIPPED, SPENT),
        _ended("won", 3.0),
        _failed("retry", 3.2, LIMITED, 6.0),
        _failed("fallback", 3.2, BROKEN, 4.5, SMALL),
        FanInReached(at=3.3, late=(BranchId("late"), BranchId("straggler")), by="k_of_n"),
        AggregatePlanned(
            at=3.3,
            kind="synthesis",
            heading="Synthesis of 2 of 18",
            used=(BranchId("done"), BranchId("won")),
            plan=_plan(AGGREGATE, "Synthesis"),
        ),
        BranchQueued(at=3.3, id=AGGREGATE),
        AttemptStarted(at=3.3, id=AGGREGATE, attempt=1),
        _wrote(AGGREGATE, 3.6),
        _ended("late", 3.8),
        PrefixOpened(
            at=4.0,
            branches=(BranchId("opener"), BranchId("prefix")),
            tokens=1327,
            took_s=1.2,
            by=BranchId("opener"),
        ),
    ]
    return tuple(sorted(events, key=lambda event: event.at))


def survived() -> tuple[Event, ...]:
    """The same to its end: whoever was still at work is done, one after another."""
    events: list[Event] = [*under_fire(), _ended(AGGREGATE, 5.0)]
    at = 6.0
    for name in ("slot", "rate", "pause", "prefix", "retry", "fallback", "restart"):
        branch = BranchId(name)
        if name in ("retry", "fallback", "restart"):
            events.append(BranchQueued(at=at, id=branch))
        again = 2 if name in ("retry", "fallback", "restart") else 1
        model = SMALL if name == "fallback" else None
        events.append(AttemptStarted(at=at, id=branch, attempt=again, model=model))
        events += [_wrote(name, at + 0.3), _ended(name, at + 1.0)]
        at += 0.1
    events.append(HedgeSettled(at=8.0, id=BranchId("hedge"), won=True))
    for name in ("hedge", "thinker", "opener", "fallen", "lost", "straggler"):
        events += [_wrote(name, 8.0), _ended(name, 8.4)]
    events.append(RunFinished(at=8.5, status=RunStatus.PARTIAL))
    return tuple(sorted(events, key=lambda event: event.at))


def _started() -> RunStarted:
    return RunStarted(
        at=0.0,
        run_id=RunId("r"),
        workflow="all-at-once",
        title="All at once",
        topic="a bad day of the provider",
        started_at=1_700_000_000.0,
        aggregate_kind="synthesis",
        branches=tuple(_plan(BranchId(name), name.title()) for name in COLUMNS),
        made_with=MadeWith(
            model=BIG,
            endpoints={
                ACME: EndpointFact(name="Acme", host="api.acme.example", on_this_machine=False)
            },
        ),
        policies=Policies(fan_in=FanIn(k=2, deadline_s=30.0), run_s=300.0),
    )


def _plan(name: BranchId, title: str) -> BranchPlan:
    asked = (Message(role="user", content="Tell it."),)
    return BranchPlan(id=name, title=title, model=BIG, messages=asked, fallback=(SMALL,))


def _held(name: str, reason: HoldReason, until: float | None = None) -> BranchHeld:
    return BranchHeld(at=0.1, id=BranchId(name), reason=reason, until=until)


def _wrote(name: str, at: float) -> BranchWrote:
    return BranchWrote(at=at, id=BranchId(name), text=TEXT, pieces=14)


def _failed(
    name: str, at: float, failure: Failure, retry_at: float, to: ModelRef | None = None
) -> AttemptFailed:
    return AttemptFailed(
        at=at,
        id=BranchId(name),
        failure=failure,
        retry_at=retry_at,
        attempts_allowed=4,
        next_model=to,
    )


def _ended(
    name: str, at: float, state: BranchState = BranchState.DONE, failure: Failure | None = None
) -> BranchFinished:
    asked = state is not BranchState.SKIPPED
    return BranchFinished(
        at=at,
        id=BranchId(name),
        state=state,
        failure=failure,
        usage=Usage(input=20, output=14) if asked else None,
        cost=COST if asked else None,
    )
