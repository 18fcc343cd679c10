"""What is known of one endpoint's traffic: what its calls taught, and what that allows now."""

from __future__ import annotations

import time
from collections.abc import Callable

from anyio.lowlevel import checkpoint_if_cancelled

from fanout.endpoint import Endpoint
from fanout.errors import ProviderError
from fanout.policies import HoldReason, RateFacts
from fanout.spans import about
from fanout.traffic.allowance import Allowance
from fanout.traffic.circuit import ENDPOINTS_FAULT, Circuit, CircuitState
from fanout.traffic.elsewhere import Elsewhere
from fanout.traffic.first_tokens import FirstTokens
from fanout.traffic.holds import SLOT, Hold
from fanout.traffic.lane import wall_ms
from fanout.traffic.ledger import MINUTE_S
from fanout.traffic.pause import Pause
from fanout.traffic.quota import Quota, Reserved
from fanout.traffic.tally import Outcome, Tally
from fanout.types import Failure, FailureKind, Usage

LONGEST_WAIT_S = 120.0
"""A call is not kept before the gate for longer than this; it fails, and says when it would do."""


class Flow:
    """Changed on the engine's loop only; `changed` is called after what may let a call through."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        changed: Callable[[], None],
        minute_s: float = MINUTE_S,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.allowance = Allowance(endpoint.slots)
        policy = endpoint.policy
        self.circuit = Circuit(policy.circuit_failures, policy.circuit_s)
        self.quota = Quota(policy, minute_s)
        self.pause = Pause()
        self.first_tokens = FirstTokens()
        self.tally = Tally()
        self.in_flight = 0
        self.calls = 0
        """Requests let through so far, and the number of the last."""
        self.elsewhere = elsewhere
        """Where other processes see what this one takes; None: there is no such place."""
        self.changed = changed

    @staticmethod
    def now_s() -> float:
        return time.monotonic()

    def reshape(self, endpoint: Endpoint) -> None:
        """Other facts about the same endpoint; what was learnt stays."""
        policy = endpoint.policy
        self.endpoint = endpoint
        self.allowance.resize(endpoint.slots)
        self.quota.policy = policy
        self.circuit.reset_policy(policy.circuit_failures, policy.circuit_s)
        self.changed()

    def try_now(self) -> None:
        """A person won't wait for what it asked or said: the next call finds out how it is."""
        self.pause.lift()
        self.circuit.try_now(self.now_s())
        self.quota.forget()
        if self.elsewhere is not None:
            self.elsewhere.lift()
        self.changed()

    def refuse_if_open(self) -> None:
        """ProviderError where the endpoint is left alone now."""
        circuit = self.circuit
        wait_s = circuit.wait_s(self.now_s())
        stuck = circuit.state is CircuitState.PROBING and not circuit.try_left_s(self.now_s())
        if circuit.last is None or not (wait_s > 0 or stuck):
            return
        again = f"in {max(1, round(wait_s))} s" if wait_s else "by one call at this moment"
        raise ProviderError(
            Failure(
                kind=circuit.last.kind,
                message=f"{self.endpoint.name} failed {circuit.in_a_row} times in a row, so it is "
                f"left alone for now and nothing more is sent to it. It is tried again {again}: "
                "retry after that, or choose a model of another endpoint.",
            )
        )

    def hold(self) -> Hold | None:
        """Why no call may go now, its rate aside."""
        now_s = self.now_s()
        paused_s = self.pause.left_s(now_s)
        if paused_s > 0:
            return Hold.timed(HoldReason.PAUSE, paused_s, now_s)
        if tries_s := self.circuit.try_left_s(now_s):
            # The one that tries has the only slot there is.
            return Hold(reason=HoldReason.SLOT, seconds=tries_s)
        if self.in_flight >= self.allowance.now:
            return SLOT
        return None

    def take(self, tokens: int) -> Reserved | Hold:
        """Reserve a call's tokens and one request, or say for how long to wait."""
        now_s = self.now_s()
        taken = self.quota.take(self.calls + 1, tokens, now_s)
        if isinstance(taken, Reserved):
            self.calls += 1
            return taken
        return Hold.timed(HoldReason.RATE, taken, now_s)

    async def take_elsewhere(self, reserved: Reserved) -> Hold | None:
        """The same where other processes see it; a Hold, like an exception, leaves nothing taken.

        Meanwhile other calls may have failed, so what was so before is looked at again.
        """
        if self.elsewhere is None:
            return None
        hold: Hold | None = None
        kept = False
        try:
            taken = await self.elsewhere.take(self.quota.limits, reserved.tokens)
            if taken is not None and taken.paused_s:
                self.pause.begin(taken.paused_s, FailureKind.RATE_LIMIT, self.now_s())
            elif taken is not None and taken.wait_s:
                hold = Hold.timed(HoldReason.RATE, taken.wait_s, self.now_s())
            elif taken is not None:
                reserved.elsewhere_ms = taken.at_ms
            await checkpoint_if_cancelled()
            self.refuse_if_open()
            hold = hold or self.hold()
            kept = hold is None
        finally:
            if not kept:
                self.quota.undo(reserved)
                self.elsewhere.settle(reserved, -1, -reserved.tokens)
        return hold

    @property
    def limited_elsewhere(self) -> bool:
        """True where a rate can only be asked for by waiting for an answer."""
        limits = self.quota.limits
        return self.elsewhere is not None and bool(limits.requests or limits.tokens)

    def tell_elsewhere(self, reserved: Reserved) -> None:
        """A call went without asking there first."""
        if self.elsewhere is not None:
            reserved.elsewhere_ms = wall_ms()
            self.elsewhere.settle(reserved, 1, reserved.tokens)

    def refuse_if_long(self, hold: Hold) -> None:
        """ProviderError where nobody should wait for that."""
        if hold.seconds is None or hold.seconds <= LONGEST_WAIT_S:
            return
        raise ProviderError(
            Failure(
                kind=FailureKind.RATE_LIMIT,
                message=f"{self.endpoint.name} takes no request for another {about(hold.seconds)}, "
                "longer than a call is kept waiting. Retry it then, or choose a model of another "
                "endpoint; how it is stands under Health on the Models page.",
                retry_after_s=hold.seconds,
            )
        )

    def begun(self) -> bool:
        """A request goes; True where it is the one that tries a broken endpoint."""
        self.in_flight += 1
        return self.circuit.enter(self.now_s())

    def settle(self, reserved: Reserved, used: int) -> None:
        """What that call really took; the first word about it counts."""
        if self.quota.settle(reserved, used) and self.elsewhere is not None:
            self.elsewhere.settle(reserved, 0, used - reserved.tokens)

    def signed(self) -> None:
        """The call that tries has had a sign of life."""
        self.circuit.close()
        self.changed()

    def ended(self) -> None:
        self.in_flight -= 1
        self.changed()

    def heard(self, call: int, rates: RateFacts) -> None:
        self.quota.hear(call, rates, self.now_s())
        self.changed()

    def succeeded(self, reserved: Reserved, usage: Usage) -> None:
        self.settle(reserved, usage.input + usage.output)
        self.tally.add(Outcome.SUCCESS, self.now_s())
        self.allowance.grow()
        self.pause.over()
        self.circuit.close()
        self.changed()

    def failed(self, call: int, failure: Failure, *, probe: bool) -> None:
        now_s = self.now_s()
        limited = failure.kind is FailureKind.RATE_LIMIT
        self.tally.add(Outcome.LIMITED if limited else Outcome.FAILURE, now_s)
        fresh = limited and self.allowance.cut(call, self.calls)
        seconds = self.pause.asked(failure, fresh=fresh)
        if seconds is not None:
            longer = self.pause.begin(seconds, failure.kind, now_s)
            if longer and self.elsewhere is not None:
                self.elsewhere.pause(seconds)
        if probe and failure.kind in ENDPOINTS_FAULT:
            self.circuit.probe_failed(failure, now_s)
        elif probe:
            self.circuit.close()
        self.changed()

    def gave_up(self, failure: Failure) -> None:
        self.circuit.gave_up(failure, self.now_s())
        self.changed()
