"""What every run of a process shares: providers, slots, prices, forms and the documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import anyio

from fanout.providers.base import Provider
from fanout.retrieval.passages import Hit
from fanout.structured.ladder import Ladder
from fanout.types import BranchPlan, Cost, EndpointId, ModelRef, Usage


class Calls(Protocol):
    """The kernel's view of the process it runs in."""

    @property
    def ladder(self) -> Ladder:
        """Which form of structured answer each model is known to manage."""
        ...

    def provider(self, model: ModelRef) -> Provider:
        """Who answers for that model. Raises ProviderError if its endpoint is gone."""
        ...

    def slots(self, endpoint: EndpointId) -> anyio.CapacityLimiter:
        """How many calls that endpoint takes at once, over all runs."""
        ...

    def cost(self, plan: BranchPlan, usage: Usage) -> Cost | None:
        """What the call cost; None is unknown."""
        ...

    async def vectors(
        self, model: ModelRef, texts: Sequence[str]
    ) -> tuple[str, Sequence[Sequence[float]]] | None:
        """The embedding model of that model's endpoint and a vector per text; None without one."""
        ...

    async def search(
        self, queries: Sequence[str], *, limit: int, documents: Sequence[str], model: ModelRef
    ) -> tuple[Hit, ...]:
        """The user's passages for these queries, best first; no documents named: all of them.

        `model` says whose endpoint may be asked for embeddings. ProviderError if there is nothing
        to search in.
        """
        ...
