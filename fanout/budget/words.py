"""Why a call was skipped for its budget: what it could take, what is left, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from fanout.budget.amount import Amount, Room
from fanout.errors import ProviderError
from fanout.types import Failure, FailureKind

UNKNOWN_PRICE = (
    "Skipped: nobody knows what this model costs, so a budget in dollars can't be kept. Set its "
    "price on the Models page, or give the budget in tokens."
)
THE_RUNS = "the run's"
THE_BATCHS = "the batch's"
UNKNOWN_BATCH_PRICE = (
    f"Skipped: nobody knows what this model costs, so {THE_BATCHS} budget in dollars can't be "
    "kept. Set its price on the Models page, or give the batch its budget in tokens."
)
NO_BATCH_LEDGER = (
    "Skipped: this batch has a budget, and what was spent of it can't be looked up now. {why}"
)
NO_LEDGER = (
    "Skipped: there is a budget for the day, and what was spent today can't be looked up now. {why}"
)


def skipped(message: str) -> ProviderError:
    """The end of a call that was not made; asking again would find the same."""
    return ProviderError(Failure(kind=FailureKind.BUDGET, message=message))


def is_batch_cap(failure: Failure) -> bool:
    """Whether it was the batch's own budget that let a call not through: no further row will get
    far before somebody raises it."""
    return failure.kind is FailureKind.BUDGET and THE_BATCHS in failure.message


def unknown_price(rooms: Sequence[Room]) -> ProviderError:
    """Of a call to a model without a price under a cap in dollars."""
    batch = any(room.whose == THE_BATCHS and room.cap.usd is not None for room in rooms)
    return skipped(UNKNOWN_BATCH_PRICE if batch else UNKNOWN_PRICE)


def too_much(worst: Amount, room: Room) -> str:
    """Of a call that doesn't fit into that room."""
    if not room.money_fits(worst.usd):
        could = f"cost up to {dollars(worst.usd, up=True)}"
        left = dollars(room.usd_left or Decimal(0), up=False)
        whole = exactly(room.cap.usd or Decimal(0))
    else:
        could = f"use up to {worst.tokens:,} tokens"
        left, whole = f"{room.tokens_left or 0:,}", f"{room.cap.tokens or 0:,} tokens"
    verb = "are" if could.startswith("use") and room.tokens_left != 1 else "is"
    return (
        f"Skipped: this call could {could}, and {left} of {room.whose} {whole} {verb} left. "
        f"{_raise(room)}, or ask for shorter answers."
    )


def too_little(room: Room, least: int) -> str:
    """Of a call without a limit where not even a short answer fits."""
    if room.tokens_left is not None:
        left = f"{room.tokens_left:,} of {room.whose} {room.cap.tokens or 0:,} tokens are left"
    if room.usd_left is not None:
        whole = exactly(room.cap.usd or Decimal(0))
        left = f"{dollars(room.usd_left, up=False)} of {room.whose} {whole} is left"
    return (
        f"Skipped: {left}, which can't pay for this call with an answer of {least} tokens. "
        f"{_raise(room)}, or give the answers a lower limit."
    )


def _raise(room: Room) -> str:
    if room.whose == THE_RUNS:
        return "This run keeps its budget: raise it for a new one"
    if room.whose == THE_BATCHS:
        return "Raise the batch's budget and let it go on"
    return "Raise the budget"


def dollars(usd: Decimal, *, up: bool) -> str:
    """Two significant digits; a need is rounded up and what is left down, so that both agree."""
    if usd == 0:
        return "$0"
    places = 2 if usd >= 1 else max(2, 1 - usd.adjusted())
    step = Decimal(1).scaleb(-places)
    return exactly(usd.quantize(step, ROUND_CEILING if up else ROUND_FLOOR))


def exactly(usd: Decimal) -> str:
    """All digits that say something, cents always: $5.00, $0.05, $0.0125."""
    whole, _, part = f"{usd:f}".partition(".")
    return f"${whole}.{part.rstrip('0').ljust(2, '0')}"
