"""What one run may spend: its own cap, and its batch's and the day's where there are such.

The worst case of each request is set aside before it is sent and replaced by what it took once
that is known. So what is spent and set aside together never passes a cap, as long as endpoints
keep to `max_tokens` and add no long prompt of their own. Where one reports more than its worst
case, that truth counts: the purse is overdrawn by it, and lets nothing further through.

Where an endpoint reports nothing, as after a Stop, nobody can say that it billed less than the
worst case, so all of that stays spent. A request that was refused has used nothing and costs
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TypeAlias

import anyio

from fanout.budget.amount import Amount, Room, Taken
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.day import Day, MayFitLater
from fanout.budget.fitting import (
    LONGEST,
    Fitted,
    Wish,
    WorstUsd,
    fitted,
    wish,
    wish_for_vectors,
)
from fanout.budget.ledger import Booking, Claim
from fanout.budget.words import THE_RUNS
from fanout.errors import ProviderError
from fanout.policies import Budget
from fanout.types import BranchPlan, Cost, ModelRef, Usage

Held: TypeAlias = Callable[[], None]
LOOK_AGAIN_S = 0.3
"""Between the first two looks at what other runs of the batch have left of its budget."""
SELDOM_S = 5.0
"""The same after many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlimited:
    """A reservation where nothing is capped."""

    max_tokens: int | None

    def settle(self, usage: Usage, cost: Cost | None) -> None: ...


class OpenPurse:
    """A run without any cap; implements `kernel.calls.Purse`."""

    async def reserve(
        self, plan: BranchPlan, model: ModelRef, held: Held | None = None
    ) -> Unlimited:
        return Unlimited(max_tokens=plan.max_tokens)

    async def reserve_vectors(self, model: ModelRef, texts: Sequence[str]) -> Unlimited:
        return Unlimited(max_tokens=None)


class Reserved:
    """What is set aside for one request; implements `kernel.calls.Reservation`."""

    def __init__(
        self,
        fitted: Fitted,
        claim: Claim,
        settled: Callable[[Reserved, Amount], None],
        name: str = "",
    ) -> None:
        """`settled` is told what was taken in place of the worst case; `name` where the call
        outlives this process."""
        self.fitted = fitted
        self.claim = claim
        self.name = name
        self.guessed = False
        """True where nobody knows what it took."""
        self._settled = settled
        self._open = True

    @property
    def max_tokens(self) -> int | None:
        return self.fitted.max_tokens

    def settle(self, usage: Usage, cost: Cost | None) -> None:
        """What it really took; harmless when called again."""
        if self._open:
            self._open = False
            self.guessed = usage.estimated
            self._settled(self, taken(self.fitted.worst, usage, cost))


class RunPurse:
    """Implements `kernel.calls.Purse`. Used on the engine's loop; `taken` is read from anywhere."""

    def __init__(
        self,
        cap: Budget,
        worst_usd: WorstUsd,
        *,
        day: Day | None = None,
        person: str = "",
        already: Amount | None = None,
        batch: str = "",
        parked_as: str = "",
    ) -> None:
        """`already` is what the run spent before it was opened again; `batch` the id of the batch
        that it is a row of; `parked_as` the run's own, where its calls outlive this process."""
        self.cap = cap
        self.taken = Taken(spent=already or Amount())
        self._worst_usd = worst_usd
        self._day = day or Day(Caps(), None)
        self._person = person
        self._batch = batch
        self._parked_as = parked_as
        self._numbers: Counter[str] = Counter()
        self._calls: dict[str, str] = {}
        """Of parked calls: by its name, which call it is."""
        self._waiting: dict[str, Amount] = {}
        """Set aside for those that were hung up on, by name, until they are asked for again."""
        self._turn = anyio.Lock()
        self._open = 0
        """Requests that are not settled yet."""
        self._settlement = anyio.Event()

    async def reserve(
        self, plan: BranchPlan, model: ModelRef, held: Held | None = None
    ) -> Reserved:
        asked, name = wish(plan, model), self._name(plan, model)
        told, looks = False, 0
        while True:
            settlement, elsewhere = self._settlement, False
            try:
                return await self._reserved(asked, name)
            except ProviderError as error:
                # Nobody waits for what comes back from the provider tomorrow.
                elsewhere = isinstance(error, MayFitLater) and not self._parked_as
                if held is None or not (elsewhere or self._may_fit_later(asked)):
                    raise
            if not told:
                told = True
                held()
            # Other runs of the batch, which other processes may carry out, settle unheard.
            pause_s = min(LOOK_AGAIN_S * 1.5**looks, SELDOM_S)
            looks += 1
            with anyio.move_on_after(pause_s if elsewhere else None):
                await settlement.wait()

    async def reserve_vectors(self, model: ModelRef, texts: Sequence[str]) -> Reserved:
        """The same for a request to that embedding model; ProviderError where it doesn't fit."""
        return await self._reserved(wish_for_vectors(model, texts))

    async def _reserved(self, asked: Wish, name: str = "") -> Reserved:
        caps, batch = self._day.caps(), await self._day.batch_cap(self._batch)
        shared = caps.capped or batch.capped
        if not (self.cap.capped or shared):
            return self._put(Fitted(worst=Amount(), max_tokens=asked.limit), name)
        # One after another, so that what is left of the run is the same before and after the day.
        async with self._turn:
            if not shared or self._free_under(caps, batch, asked):
                return self._put(self._fit(asked, (), name), name)
            fit = Fitted(worst=Amount(), max_tokens=None)

            def fits(rooms: tuple[Room, ...]) -> Amount:
                nonlocal fit
                fit = self._fit(asked, rooms, name)
                return fit.worst

            claim = await self._day.claim(self._person, caps, fits, self._batch, name)
            # Nothing is awaited from here on: a Stop in between would lose the claim.
            return self._put(fit, name, claim)

    def _name(self, plan: BranchPlan, model: ModelRef) -> str:
        """Of a call that outlives this process: the same when the run goes on in another one."""
        if not self._parked_as:
            return ""
        call = "\0".join((self._parked_as, plan.id, model.endpoint, model.model))
        number, self._numbers[call] = self._numbers[call], self._numbers[call] + 1
        name = sha256(f"{call}\0{number}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._calls[name] = call
        return name

    def _forget(self, name: str) -> None:
        """Let the next request for that answer have the same name."""
        if name in self._calls:
            self._numbers[self._calls[name]] -= 1

    def _may_fit_later(self, asked: Wish) -> bool:
        """Whether there is room but for what is set aside for calls of this run under way."""
        if not self._open:
            return False
        alone = Room(whose=THE_RUNS, cap=self.cap, taken=self.taken.spent)
        with suppress(ProviderError):
            fitted(asked, [alone] if self.cap.capped else [], self._worst_usd)
            return True
        return False

    def _free_under(self, caps: DayCaps, batch: Budget, asked: Wish) -> bool:
        """Whether the shared caps, being in dollars, have nothing to do with this request."""
        longest = LONGEST if asked.limit is None else asked.limit
        of_tokens = caps.of_tokens or batch.tokens is not None
        return not of_tokens and self._worst_usd(asked.model, asked.input, longest) == 0

    def _fit(self, asked: Wish, rooms: Sequence[Room], name: str) -> Fitted:
        others = self.taken.all - self._waiting.get(name, Amount())
        run = Room(whose=THE_RUNS, cap=self.cap, taken=others)
        return fitted(asked, [*([run] if run.cap.capped else []), *rooms], self._worst_usd)

    def _put(self, fit: Fitted, name: str, claim: Claim | None = None) -> Reserved:
        others = self.taken.reserved - self._waiting.pop(name, Amount())
        self.taken = Taken(spent=self.taken.spent, reserved=others + fit.worst)
        self._open += 1
        claim = claim or self._day.unclaimed(self._person, self._batch)
        return Reserved(fit, claim, self._settled, name)

    def _settled(self, one: Reserved, actual: Amount) -> None:
        if one.guessed and one.name:
            # Its answer is still to come, to whoever goes on with the run: it stays set aside.
            self._waiting[one.name] = one.fitted.worst
            self._forget(one.name)
        else:
            reserved = self.taken.reserved - one.fitted.worst
            self.taken = Taken(spent=self.taken.spent + actual, reserved=reserved)
            self._day.book(Booking(claim=one.claim, amount=actual))
        self._open -= 1
        settlement, self._settlement = self._settlement, anyio.Event()
        settlement.set()


def taken(worst: Amount, usage: Usage, cost: Cost | None) -> Amount:
    """What a request counts for in the end; see the module's first words."""
    tokens = max(usage.input, 0) + max(usage.output, 0)
    if not tokens:
        return Amount()
    usd = worst.usd if cost is None else max(cost.usd, Decimal(0))
    if usage.estimated:
        return Amount(usd=max(usd, worst.usd), tokens=max(tokens, worst.tokens))
    return Amount(usd=usd, tokens=tokens)
