"""How the attempts of one call ended."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fanout.providers.base import Done
from fanout.types import BranchState, Cost, Failure, FailureKind, Price

NO_CALL = Cost(
    usd=Decimal(0),
    price=Price(input=Decimal(0), output=Decimal(0), source="no model was asked"),
)
"""The cost of a branch that needs no model, such as a plain search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    state: BranchState
    done: Done | None = None
    failure: Failure | None = None


def bug(error: Exception) -> Failure:
    return Failure(
        kind=FailureKind.BUG,
        message=f"Fanout made a mistake here ({type(error).__name__}), not the model. "
        "The other branches go on; please report it with the log.",
    )
