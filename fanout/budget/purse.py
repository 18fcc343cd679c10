"""What one run may spend."""

from __future__ import annotations

from dataclasses import dataclass

from fanout.types import BranchPlan, Cost, ModelRef, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlimited:
    """A reservation where nothing is capped."""

    max_tokens: int | None

    def settle(self, usage: Usage, cost: Cost | None) -> None: ...


class OpenPurse:
    """A run without any cap; implements `kernel.calls.Purse`."""

    async def reserve(self, plan: BranchPlan, model: ModelRef) -> Unlimited:
        return Unlimited(max_tokens=plan.max_tokens)
