"""What has to be certain before a batch begins or rows come to it; else a person is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fanout.batch.reading.table import is_usual
from fanout.errors import InputError
from fanout.policies import Budget

UNKEPT = (
    "A model's price is unknown, so a budget in dollars can't be kept for its calls. Set its price "
    "on the Models page, or cap tokens instead."
)
_NAMED = 20


def keeps_budget(budget: Budget, estimate: Mapping[str, object]) -> bool:
    """Whether its dollars can be counted, as `BatchEstimate.record` tells; an empty one says
    nothing about it."""
    return budget.usd is None or not estimate or estimate.get("high_usd") is not None


def check_budget(budget: Budget, estimate: Mapping[str, object]) -> None:
    """InputError where the batch would only be paused at its first call."""
    if not keeps_budget(budget, estimate):
        raise InputError(UNKEPT)


def column_of_more(columns: Sequence[str], before: str) -> str:
    """The column that holds the topics of rows for a batch whose topics stood in `before`; "" where
    it isn't there. A list without a header has only one, and needs no name for it."""
    if before in columns:
        return before
    return columns[0] if len(columns) == 1 and is_usual(columns[0]) else ""


def column_asked_for(columns: Sequence[str], before: str, how: str) -> str:
    """What to say where there is none; `how` to choose one."""
    offer = ", ".join(f'"{one}"' for one in columns[:_NAMED])
    return (
        f'The topics of this batch stand in the column "{before}", which is not here. {how} '
        f"There {'is' if len(columns) == 1 else 'are'}: {offer}."
    )
