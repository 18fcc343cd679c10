"""A worker of its own that only spends: calls that need 5 cents and take one, until nothing fits.

A process of its own runs it, so it brings along as little as it can.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import anyio

from fanout.budget.budgets import Budgets
from fanout.errors import ProviderError
from fanout.policies import Budget
from fanout.store.store import Store
from fanout.types import (
    BatchId,
    BranchId,
    BranchPlan,
    Cost,
    EndpointId,
    Message,
    ModelRef,
    Price,
    RunId,
    Usage,
)

MODEL = ModelRef(endpoint=EndpointId("paid"), model="m")
PRICE = Price(input=Decimal(0), output=Decimal(1000), source="test")
PLAN = BranchPlan(
    id=BranchId("a"),
    title="A",
    model=MODEL,
    messages=(Message(role="user", content="rain"),),
    max_tokens=50,
)


def cents(_model: ModelRef, _input: int, output: int) -> Decimal:
    """A cent for ten tokens of answer."""
    return output * PRICE.output / 1_000_000


def spend_on(home: Path, made: str) -> None:
    """Says so of each call that is billed, before Fanout hears of it."""

    async def work() -> None:
        with Store.open(home) as store:
            budgets = Budgets(cents, ledger=store.spend)
            purse = budgets.purse_for(RunId("r"), Budget(), batch=BatchId(made))
            while True:
                try:
                    reservation = await purse.reserve(PLAN, MODEL)
                except ProviderError:
                    break
                print("1", flush=True)
                reservation.settle(
                    Usage(input=1, output=10), Cost(usd=Decimal("0.01"), price=PRICE)
                )
            budgets.close()

    anyio.run(work)


if __name__ == "__main__":
    spend_on(Path(sys.argv[1]), sys.argv[2])
