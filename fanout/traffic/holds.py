"""Why a call waits before the gate, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fanout.policies import HoldReason

Held: TypeAlias = Callable[[HoldReason, float | None], None]
NEVER_S = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    reason: HoldReason
    seconds: float | None = None
    """From now on; None: until somebody leaves."""
    until_s: float = NEVER_S
    """The same by the gate's clock."""

    @classmethod
    def timed(cls, reason: HoldReason, seconds: float, now_s: float) -> Hold:
        return cls(reason=reason, seconds=seconds, until_s=now_s + seconds)


SLOT = Hold(reason=HoldReason.SLOT)
