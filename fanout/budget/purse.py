"""What one run may spend: its own cap, and the day's where there is one.

The worst case of each request is set aside before it is sent and replaced by what it took once
that is known. So what is spent and set aside together never passes a cap, as long as endpoints
keep to `max_tokens` and add no long prompt of their own. Where one reports more than its worst
case, that truth counts: the purse is overdrawn by it, and lets nothing further through.

Where an endpoint reports nothing, as after a Stop, nobody can say that it billed less than the
worst case, so all of that stays spent. A request that was refused has used nothing and costs
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fanout.budget.amount import Amount, Room, Taken
from fanout.budget.fitting import Fitted, Wish, WorstUsd, fitted, wish, wish_for_vectors
from fanout.policies import Budget
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


@dataclass(slots=True, kw_only=True)
class Reserved:
    """What is set aside for one request; implements `kernel.calls.Reservation`."""

    fitted: Fitted
    _settled: Callable[[Amount, Amount], None]
    """Told the worst case and what was taken instead."""
    _open: bool = field(default=True)

    @property
    def max_tokens(self) -> int | None:
        return self.fitted.max_tokens

    def settle(self, usage: Usage, cost: Cost | None) -> None:
        """What it really took; harmless when called again."""
        if self._open:
            self._open = False
            self._settled(self.fitted.worst, taken(self.fitted.worst, usage, cost))


class RunPurse:
    """Implements `kernel.calls.Purse`. Used on the engine's loop; `taken` is read from anywhere."""

    def __init__(self, cap: Budget, worst_usd: WorstUsd, *, already: Amount | None = None) -> None:
        """`already` is what the run spent before it was opened again."""
        self.cap = cap
        self._worst_usd = worst_usd
        self.taken = Taken(spent=already or Amount())

    async def reserve(self, plan: BranchPlan, model: ModelRef) -> Reserved:
        return self._reserved(wish(plan, model))

    async def reserve_vectors(self, model: ModelRef, texts: Sequence[str]) -> Reserved:
        """The same for a request to that embedding model; ProviderError where it doesn't fit."""
        return self._reserved(wish_for_vectors(model, texts))

    def _reserved(self, asked: Wish) -> Reserved:
        if not self.cap.capped:
            return Reserved(
                fitted=Fitted(worst=Amount(), max_tokens=asked.limit), _settled=self._settled
            )
        fit = fitted(asked, [self._room()], self._worst_usd)
        self.taken = Taken(spent=self.taken.spent, reserved=self.taken.reserved + fit.worst)
        return Reserved(fitted=fit, _settled=self._settled)

    def _room(self) -> Room:
        return Room(whose="the run's", cap=self.cap, taken=self.taken.all)

    def _settled(self, worst: Amount, actual: Amount) -> None:
        self.taken = Taken(spent=self.taken.spent + actual, reserved=self.taken.reserved - worst)


def taken(worst: Amount, usage: Usage, cost: Cost | None) -> Amount:
    """What a request counts for in the end; see the module's first words."""
    tokens = max(usage.input, 0) + max(usage.output, 0)
    if not tokens:
        return Amount()
    usd = worst.usd if cost is None else max(cost.usd, Decimal(0))
    if usage.estimated:
        return Amount(usd=max(usd, worst.usd), tokens=max(tokens, worst.tokens))
    return Amount(usd=usd, tokens=tokens)
