"""Runs for the store's tests, and the news that an engine tells of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal

from fanout.events import (
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunStarted,
)
from fanout.fold import apply
from fanout.snapshot import Snapshot
from fanout.store.values import Update
from fanout.types import (
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointId,
    Message,
    ModelRef,
    Price,
    RunId,
    RunStatus,
    Usage,
)
from tests.folding import folded

PRICE = Price(input=Decimal(1), output=Decimal(2), source="a test")
WORDS = ("rain", "falls", "on", "the", "quiet", "city", "tonight")


def events(
    run_id: str = "run-0001",
    *,
    topic: str = "rain",
    text: str | None = None,
    branches: int = 3,
    tokens: int = 40,
    started_at: float = 1_700_000_000.0,
) -> tuple[Event, ...]:
    """A whole run whose branches write at the same time, each its `text` or words of its own."""
    plans = tuple(
        BranchPlan(
            id=BranchId(f"branch-{number}"),
            title=f"Branch {number}",
            model=ModelRef(endpoint=EndpointId("here"), model="small"),
            messages=(Message(role="user", content=f"Write about {topic}"),),
        )
        for number in range(branches)
    )
    dice = random.Random(run_id)
    told: list[Event] = []
    for plan in plans:
        told.append(BranchQueued(at=0.001, id=plan.id))
        told.append(AttemptStarted(at=0.002, id=plan.id, attempt=1))
        at = 0.3
        for number in range(tokens):
            at += dice.expovariate(60)
            word = text if text is not None else f"{dice.choice(WORDS)}{number} "
            told.append(BranchWrote(at=at, id=plan.id, text=word, pieces=1))
        told.append(
            BranchFinished(
                at=at + 0.01,
                id=plan.id,
                state=BranchState.DONE,
                usage=Usage(input=10, output=tokens),
                cost=Cost(usd=Decimal("0.000123"), price=PRICE),
            )
        )
    told.sort(key=lambda event: event.at)
    started = RunStarted(
        at=0.0,
        run_id=RunId(run_id),
        workflow="trio",
        title="Trio",
        topic=topic,
        branches=plans,
        started_at=started_at,
    )
    return (started, *told, RunFinished(at=told[-1].at, status=RunStatus.SUCCEEDED))


def update(told: Sequence[Event], first: int = 0, until: int | None = None) -> Update:
    """The news of the events from `first` to before `until`."""
    known = told[:until]
    return Update(snapshot=folded(known), events=tuple(known[first:]), first=first)


def news(told: Sequence[Event], at_once: int = 25) -> Iterator[Update]:
    """A run as an engine tells of it: so many events at a time."""
    snapshot: Snapshot | None = None
    for first in range(0, len(told), at_once):
        fresh = tuple(told[first : first + at_once])
        for event in fresh:
            snapshot = folded([event]) if snapshot is None else apply(snapshot, event)
        assert snapshot is not None
        yield Update(snapshot=snapshot, events=fresh, first=first)
