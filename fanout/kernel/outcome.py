"""How the attempts of one call ended, and what it used where nobody said."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fanout.providers.base import Done
from fanout.snapshot import Branch
from fanout.tokens import estimated_usage
from fanout.types import BranchState, Cost, Failure, FailureKind, Price, Usage

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


_NOT_BILLED = frozenset(
    {
        FailureKind.AUTH,
        FailureKind.QUOTA,
        FailureKind.RATE_LIMIT,
        FailureKind.CONNECTION,
        FailureKind.UNKNOWN_MODEL,
        FailureKind.BUDGET,
    }
)


def usage_of(branch: Branch, outcome: Outcome) -> Usage:
    """What was reported; else none if the request was refused, or was never sent; else our
    estimate."""
    if outcome.done is not None and outcome.done.usage is not None:
        return outcome.done.usage
    never_sent = branch.started_s is None or not branch.plan.messages
    failure = outcome.failure
    if never_sent or (failure is not None and failure.kind in _NOT_BILLED and not branch.text):
        return Usage()
    return estimated_usage(branch)


def bug(error: Exception) -> Failure:
    return Failure(
        kind=FailureKind.BUG,
        message=f"Fanout made a mistake here ({type(error).__name__}), not the model. "
        "The other branches go on; please report it with the log.",
    )
