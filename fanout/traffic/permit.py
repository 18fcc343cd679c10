"""One request that was let through, and what became of it."""

from __future__ import annotations

from fanout.policies import RateFacts
from fanout.traffic.flow import Flow
from fanout.traffic.quota import Reserved
from fanout.traffic.tally import Outcome
from fanout.types import Failure, Usage


class Pass:
    """Implements `kernel.calls.Permit`.

    Left without a word it gives its tokens back, but not its request: that may have been sent, and
    the endpoint counts it then.
    """

    def __init__(
        self,
        flow: Flow,
        model: str,
        reserved: Reserved,
        *,
        probe: bool = False,
        hedge: bool = False,
    ) -> None:
        self._flow, self._model, self._reserved = flow, model, reserved
        self._probe, self._hedge = probe, hedge
        self._opened = self._spoke = self._released = False

    def opened(self, rates: RateFacts) -> None:
        self._opened = True
        self._flow.heard(self._reserved.call, rates)

    def first_token(self, after_s: float) -> None:
        self._opened = True
        self._flow.first_tokens.add(self._model, after_s)
        if self._probe:
            self._probe = False
            self._flow.signed()

    def succeeded(self, usage: Usage) -> None:
        self._spoke = True
        if self._hedge:
            self._flow.tally.add(Outcome.HEDGE_WON, self._flow.now_s())
        self._flow.succeeded(self._reserved, usage)

    def failed(self, failure: Failure, rates: RateFacts | None = None) -> None:
        self._spoke = True
        if rates is not None:
            self._flow.heard(self._reserved.call, rates)
        self._flow.failed(self._reserved.call, failure, probe=self._probe)

    def release(self) -> None:
        if self._released:
            return
        self._released = True
        if self._probe and not self._spoke:
            self._flow.circuit.probe_left()
        # What an endpoint had begun to answer it counts, though nobody says how much.
        self._flow.settle(self._reserved, self._reserved.tokens if self._opened else 0)
        self._flow.ended()
