"""One attempt that has its slot: one request, and a second one where the first word is late."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from fanout.errors import ProviderError
from fanout.events import HedgeSent, HedgeSettled
from fanout.kernel.bill import Bill
from fanout.kernel.calls import Gate, Permit, Reservation
from fanout.kernel.chat import chat_request
from fanout.kernel.hedging import raced
from fanout.kernel.lane import Lane
from fanout.kernel.means import Means, most_tokens
from fanout.policies import Hedging
from fanout.providers.base import Done
from fanout.structured.asking import Rung
from fanout.tokens import estimated_input
from fanout.types import BranchPlan, ModelRef, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one attempt is about."""

    plan: BranchPlan
    model: ModelRef
    plainer: Rung | None
    """How its form is asked for, where not as the model's usual."""
    bill: Bill
    started: Callable[[], None]
    """Called when its slot is granted."""


class Sending:
    """Opened by `enter`; `close` settles what it used, whatever happened."""

    def __init__(self, means: Means, request: Request, gate: Gate) -> None:
        self._means = means
        self.request = request
        self._gate = gate
        self._lanes: list[Lane] = []
        self._racing = False
        """True from a second request's sending until it is told how that ended."""

    @property
    def entered(self) -> bool:
        return bool(self._lanes)

    def enter(self, permit: Permit, reservation: Reservation) -> Lane:
        """Take over a permit and a reservation for one request."""
        branch = self.request.plan.id
        lane = Lane(
            recorder=self._means.recorder,
            branch=branch,
            permit=permit,
            reservation=reservation,
            signed=lambda: self._means.openings.signed(branch),
            won=self._won,
        )
        self._lanes.append(lane)
        return lane

    async def send(self, rung: Rung | None) -> Done:
        """Ask along the first lane, hedged where that is on; raises what went wrong."""
        model = self.request.model
        hedging = self._means.hedging(model)
        late_s = self._gate.late_after_s(model.model, hedging) if hedging.enabled else None
        first = self._lanes[0]

        async def ask(lane: Lane) -> Done:
            return await self._ask(lane, rung)

        async def second() -> Lane | None:
            return await self._second(hedging, late_s or 0.0)

        if late_s is None or first.result is not None:
            # Where its form was refused, an attempt that was hedged before is not hedged again.
            return await ask(first)
        lane = await raced(first, ask, late_s=late_s, second=second)
        self._settle(None, Usage())
        first.rival = None
        if isinstance(lane.result, Done):
            return lane.result
        assert lane.result is not None, "a lane that was not hung up on has a result"
        raise lane.result

    def close(self) -> None:
        """Settle every lane, which frees their slots. Safe to call twice."""
        lanes, self._lanes = self._lanes, []
        model = self.request.model
        for lane in lanes:
            usage = lane.close(lambda usage: self._means.cost(model, usage))
            self.request.bill.add(model, usage)
            if lane is lanes[-1]:
                self._settle(None, usage)

    async def _ask(self, lane: Lane, rung: Rung | None) -> Done:
        plan, model = self.request.plan, self.request.model
        provider = self._means.calls.provider(model)
        request = chat_request(plan, model, rung, lane.max_tokens)
        return await lane.ask(provider, request, self._means.deadlines(plan, model))

    async def _second(self, hedging: Hedging, late_s: float) -> Lane | None:
        """The second lane, if gate and budget have room for it; that they don't is no failure."""
        plan, model = self.request.plan, self.request.model
        with suppress(ProviderError):
            reservation = await self._means.purse.reserve(plan, model)
            permit = None
            # Setting aside may take a moment, in which the first word came after all.
            if not self._lanes[0].heard.is_set():
                tokens = most_tokens(plan)
                permit = self._gate.hedge(model=model.model, tokens=tokens, hedging=hedging)
            if permit is None:
                reservation.settle(Usage(), self._means.cost(model, Usage()))
                return None
            self._racing = True
            self._means.recorder.emit(HedgeSent(at=self._means.now_s(), id=plan.id, late_s=late_s))
            return self.enter(permit, reservation)
        return None

    def _won(self, winner: Lane) -> None:
        """One lane has given the first sign; what the other used by now is estimated."""
        loser = next(lane for lane in self._lanes if lane is not winner)
        hung_up = Usage(input=estimated_input(self.request.plan.messages), estimated=True)
        self._settle(winner is self._lanes[1], hung_up if loser.result is None else Usage())

    def _settle(self, won: bool | None, usage: Usage) -> None:
        """Tell how the race ended, if there is one that nobody told of."""
        if not self._racing:
            return
        self._racing = False
        at = self._means.now_s()
        self._means.recorder.emit(
            HedgeSettled(at=at, id=self.request.plan.id, won=won, usage=usage)
        )
