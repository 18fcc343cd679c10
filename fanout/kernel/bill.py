"""What the requests of one call used, each at the model that was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from fanout.types import Cost, ModelRef, Usage

CostOf = Callable[[ModelRef, Usage], Cost | None]


class Bill:
    """Every request counts, also one that failed, was hung up on, or lost to a second one."""

    def __init__(self) -> None:
        self._items: list[tuple[ModelRef, Usage]] = []

    def add(self, model: ModelRef, usage: Usage) -> None:
        self._items.append((model, usage))

    @property
    def usage(self) -> Usage:
        total = Usage()
        for _, usage in self._items:
            total += usage
        return total

    def cost(self, of: CostOf, model: ModelRef) -> Cost | None:
        """The sum, with the price of `model`, who answered; None where a part of it is unknown."""
        answered = of(model, Usage())
        usd, estimated = Decimal(0), False
        for asked, usage in self._items:
            if not (usage.input or usage.output):
                continue
            part = of(asked, usage)
            if part is None:
                return None
            usd += part.usd
            estimated = estimated or part.estimated
        return None if answered is None else replace(answered, usd=usd, estimated=estimated)
