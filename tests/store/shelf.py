"""Runs that differ in everything a list can filter and sort by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert, select

from fanout.events import BranchFinished, Event, RunFinished, RunStarted
from fanout.store.database import writing
from fanout.store.opening import open_database
from fanout.store.schema import WORDS, runs
from fanout.store.values import Update
from fanout.types import Cost, EndpointId, ModelRef, RunStatus
from tests.store.samples import PRICE, events, update

DAY_S = 86_400.0
MIDNIGHT = 20_000 * DAY_S
"""2024-10-04."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a run of the shelf is to be like."""

    id: str
    topic: str = "rain"
    workflow: str = "trio"
    model: str = "small"
    status: RunStatus = RunStatus.SUCCEEDED
    started_at: float = MIDNIGHT
    usd: Decimal | None = Decimal("0.01")
    """In all; None is unknown."""
    text: str = "word "
    tokens: int = 1

    def update(self) -> Update:
        told = events(
            self.id,
            topic=self.topic,
            text=self.text,
            branches=1,
            tokens=self.tokens,
            started_at=self.started_at,
        )
        return update([self._bent(event) for event in told])

    def _bent(self, event: Event) -> Event:
        match event:
            case RunStarted():
                model = ModelRef(endpoint=EndpointId("here"), model=self.model)
                plans = tuple(replace(plan, model=model) for plan in event.branches)
                return replace(event, workflow=self.workflow, branches=plans)
            case BranchFinished():
                cost = None if self.usd is None else Cost(usd=self.usd, price=PRICE)
                return replace(event, cost=cost)
            case RunFinished():
                return replace(event, status=self.status)
            case _:
                return event


def add_many(home: Path, url: str, count: int) -> None:
    """Runs "many-0", "many-1" and so on, a second apart from 1970 on, all with the word "plenty":
    straight into the tables, as writing them one by one would take a minute."""
    engine = open_database(home, url).engine
    with writing(engine) as connection:
        rows = [
            {
                "id": f"many-{number}",
                "workflow": "many",
                "title": "Many",
                "kind": "ensemble",
                "topic": "plenty",
                "status": "succeeded",
                "started_at": float(number),
                "written_at": 0.0,
                "branches": 0,
            }
            for number in range(count)
        ]
        connection.execute(insert(runs), rows)
        new = select(runs.c.number).where(runs.c.workflow == "many")
        searched = WORDS[connection.dialect.name]
        connection.execute(
            insert(searched),
            [
                {"run": number, "topic": "plenty", "texts": "", "label": ""}
                for number in connection.execute(new).scalars()
            ],
        )
    engine.dispose()
