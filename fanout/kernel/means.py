"""What the calls of one run share: its record, the process it runs in, its policies and purse."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fanout.events import BranchHeld
from fanout.kernel.calls import Calls, Purse
from fanout.kernel.opening import Openings
from fanout.kernel.recorder import Recorder
from fanout.policies import Hedging, HoldReason, Policies, RetryPolicy
from fanout.tokens import estimated_input
from fanout.types import BranchId, BranchPlan, Cost, Deadlines, ModelRef, Usage

UNLIMITED_TOKENS = 1_000
"""What an answer without a limit is taken to use, where tokens per minute are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Used on the engine's loop only."""

    recorder: Recorder
    calls: Calls
    policies: Policies
    purse: Purse
    openings: Openings
    patient: bool = False
    """True where answers come when they come, and no deadline of a call counts."""

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self.recorder.now_s()

    def cost(self, model: ModelRef, usage: Usage) -> Cost | None:
        return self.calls.cost(model, usage)

    def hold(self, branch: BranchId, reason: HoldReason, wait_s: float | None) -> None:
        """Say why a branch can't start yet."""
        at = self.now_s()
        until = None if wait_s is None else at + wait_s
        self.recorder.emit(BranchHeld(at=at, id=branch, reason=reason, until=until))

    def retries(self, model: ModelRef) -> RetryPolicy:
        """The run's policy, with what is so at this endpoint; so are the two below."""
        own = self.calls.endpoint_policy(model.endpoint).attempts
        policy = self.policies.retries
        return policy if own is None else replace(policy, attempts=own)

    def hedging(self, model: ModelRef) -> Hedging:
        own = self.calls.endpoint_policy(model.endpoint).hedging
        policy = self.policies.hedging
        return policy if own is None else replace(policy, enabled=own)

    def deadlines(self, plan: BranchPlan, model: ModelRef) -> Deadlines:
        if self.patient:
            return Deadlines(first_token_s=None, idle_s=None, total_s=None)
        own = self.calls.endpoint_policy(model.endpoint).first_token_s
        return plan.deadlines if own is None else replace(plan.deadlines, first_token_s=own or None)


def most_tokens(plan: BranchPlan) -> int:
    """What a call may use of the tokens per minute, input and output."""
    return estimated_input(plan.messages) + (plan.max_tokens or UNLIMITED_TOKENS)
