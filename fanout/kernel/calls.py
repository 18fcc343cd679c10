"""What every run of a process shares: providers, slots and prices."""

from __future__ import annotations

from typing import Protocol

import anyio

from fanout.providers.base import Provider
from fanout.types import BranchPlan, Cost, EndpointId, ModelRef, Usage


class Calls(Protocol):
    """The kernel's view of the process it runs in."""

    def provider(self, model: ModelRef) -> Provider:
        """Who answers for that model. Raises ProviderError if its endpoint is gone."""
        ...

    def slots(self, endpoint: EndpointId) -> anyio.CapacityLimiter:
        """How many calls that endpoint takes at once, over all runs."""
        ...

    def cost(self, plan: BranchPlan, usage: Usage) -> Cost | None:
        """What the call cost; None is unknown."""
        ...
