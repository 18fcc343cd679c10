"""The way to one endpoint: every call of this process passes here.

Only the head of the queue looks whether it may go; what changes that wakes it. So nobody overtakes,
no wake-up is lost on somebody who left, and a thousand that wait cost nothing.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.from_thread
from anyio.lowlevel import EventLoopToken, current_token

from fanout.endpoint import Endpoint
from fanout.policies import Hedging, HoldReason
from fanout.traffic.circuit import CircuitState
from fanout.traffic.elsewhere import Elsewhere
from fanout.traffic.flow import Flow
from fanout.traffic.health import EndpointHealth, health
from fanout.traffic.holds import Held, Hold
from fanout.traffic.lane import Lane, Place
from fanout.traffic.ledger import MINUTE_S
from fanout.traffic.permit import Pass
from fanout.traffic.queue import FairQueue, Waiter
from fanout.traffic.quota import Reserved
from fanout.traffic.tally import Outcome
from fanout.types import Failure, RunId


class EndpointGate:
    """Implements `kernel.calls.Gate`. `minute_s` is shorter in tests.

    With a `place`, requests, tokens and pauses hold over all processes that use it; slots, circuit
    and history are this process's own.
    """

    def __init__(
        self, endpoint: Endpoint, place: Place | None = None, *, minute_s: float = MINUTE_S
    ) -> None:
        self._queue = FairQueue()
        self._hold: Hold | None = None
        self._flow = Flow(
            endpoint,
            changed=self._wake,
            minute_s=minute_s,
            elsewhere=Elsewhere(Lane(place, endpoint, minute_s), place.name) if place else None,
        )
        self._loop: tuple[int, EventLoopToken] | None = None

    @property
    def slots(self) -> int:
        return self._flow.allowance.slots

    @asynccontextmanager
    async def admit(
        self, *, run: RunId, model: str, tokens: int, held: Held
    ) -> AsyncIterator[Pass]:
        permit: Pass | None = None
        try:
            permit = await self._turn(run, model, tokens, held)
            yield permit
        finally:
            if permit is not None:
                permit.release()
            if self._flow.elsewhere is not None:
                await self._flow.elsewhere.pay()

    def health(self) -> EndpointHealth:
        """How the endpoint is doing; from any thread."""
        return health(self._flow, self._queue.counts())

    def gave_up(self, failure: Failure) -> None:
        self._flow.gave_up(failure)

    def late_after_s(self, model: str, hedging: Hedging) -> float | None:
        """The quantile of this model's last 200 first tokens, but at least `least_s`.

        None before there are 20: of fewer, the 95 % quantile is the slowest there was, so one slow
        answer would decide what is late.
        """
        quantile_s = self._flow.first_tokens.quantile_s(model, hedging.quantile)
        return None if quantile_s is None else max(hedging.least_s, quantile_s)

    def hedge(self, *, model: str, tokens: int, hedging: Hedging) -> Pass | None:
        """Hedged calls stay within their share of the calls of the last 15 minutes. No allowance is
        needed on top for the first one: nothing is late before 20 calls are known."""
        flow = self._flow
        counts = flow.tally.counts(flow.now_s())
        if counts[Outcome.HEDGE] + 1 > hedging.share * counts[Outcome.CALL]:
            return None
        if self._queue.head is not None or flow.circuit.state is not CircuitState.CLOSED:
            return None
        if flow.hold() is not None or flow.limited_elsewhere:
            return None
        taken = flow.take(tokens)
        if isinstance(taken, Hold):
            return None
        flow.begun()
        flow.tell_elsewhere(taken)
        flow.tally.add(Outcome.HEDGE, flow.now_s())
        return Pass(flow, model, taken, hedge=True)

    def reshape(self, endpoint: Endpoint) -> None:
        """Take over other slots and another policy; from any thread."""
        self._on_loop(partial(self._flow.reshape, endpoint))

    def try_now(self) -> None:
        """Let the next call find out how the endpoint is, whatever it asked for, however often it
        failed; from any thread."""
        self._on_loop(self._flow.try_now)

    def _on_loop(self, change: Callable[[], None]) -> None:
        if self._loop is None or self._loop[0] == threading.get_ident():
            change()
            return
        try:
            anyio.from_thread.run_sync(change, token=self._loop[1])
        except anyio.RunFinishedError:
            change()

    async def _turn(self, run: RunId, model: str, tokens: int, held: Held) -> Pass:
        if self._loop is None:
            self._loop = (threading.get_ident(), current_token())
        self._flow.refuse_if_open()
        waiter = Waiter(run, held)
        if self._queue.head is not None and self._hold is not None:
            self._tell_newcomer(waiter, self._hold)
        self._queue.join(waiter)
        served = False
        try:
            while True:
                waiter.event = anyio.Event()
                hold = None
                if self._queue.head is waiter:
                    tried = await self._try(tokens)
                    if isinstance(tried, Reserved):
                        served = True
                        flow = self._flow
                        flow.tally.add(Outcome.CALL, flow.now_s())
                        return Pass(flow, model, tried, probe=flow.begun())
                    hold = tried
                    self._tell(hold)
                with anyio.move_on_after(hold.seconds if hold is not None else None):
                    await waiter.event.wait()
        finally:
            (self._queue.served if served else self._queue.gone)(waiter)
            self._wake()

    async def _try(self, tokens: int) -> Reserved | Hold:
        flow = self._flow
        flow.refuse_if_open()
        tried = flow.hold() or flow.take(tokens)
        if isinstance(tried, Reserved):
            tried = await flow.take_elsewhere(tried) or tried
        if isinstance(tried, Hold):
            flow.refuse_if_long(tried)
        return tried

    def _tell(self, hold: Hold) -> None:
        """Everybody waits for what the head waits for."""
        timed = hold.reason is not HoldReason.SLOT
        news = timed or self._hold is None or self._hold.reason is not hold.reason
        self._hold = hold
        for waiter in self._queue.all() if news else [self._queue.head]:
            if waiter is not None:
                waiter.tell(hold)

    def _tell_newcomer(self, waiter: Waiter, hold: Hold) -> None:
        now_s = self._flow.now_s()
        if hold.reason is HoldReason.SLOT:
            waiter.tell(hold)
        elif hold.until_s > now_s:
            waiter.tell(Hold.timed(hold.reason, hold.until_s - now_s, now_s))

    def _wake(self) -> None:
        head = self._queue.head
        if head is None:
            self._hold = None
        else:
            head.event.set()
