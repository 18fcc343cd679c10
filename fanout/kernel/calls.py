"""What every run of a process shares: providers, slots, prices, forms and the documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

from fanout.kernel.prefix import PrefixMemory
from fanout.policies import EndpointPolicy, Hedging, HoldReason, RateFacts
from fanout.providers.base import Embedded, Primer, Provider
from fanout.retrieval.passages import Hit
from fanout.structured.ladder import Ladder
from fanout.types import BranchPlan, Cost, EndpointId, Failure, ModelRef, RunId, Usage

Held: TypeAlias = Callable[[HoldReason, float | None], None]
"""Told each time that a call has to wait: for what, and for about how many seconds."""


Embed: TypeAlias = Callable[[ModelRef, Sequence[str]], Awaitable[Embedded]]
"""A vector per text, by that embedding model. ProviderError where there is none, also where the
budget has no room for it."""


class Permit(Protocol):
    """One request that was let through. Left without a word, as when it is cancelled, it gives back
    what was reserved for it and says nothing about the endpoint."""

    def opened(self, rates: RateFacts) -> None:
        """The endpoint took the request and said this about its limits."""
        ...

    def first_token(self, after_s: float) -> None:
        """The first sign of life came so many seconds after the request was sent."""
        ...

    def succeeded(self, usage: Usage) -> None:
        """Answered; the tokens reserved for it are settled with what it used."""
        ...

    def failed(self, failure: Failure, rates: RateFacts | None = None) -> None:
        """One attempt failed. A rate limit makes every call to this endpoint wait."""
        ...

    def release(self) -> None:
        """The request has ended: its slot is free. Leaving `admit` does this; harmless twice."""
        ...


class Gate(Protocol):
    """Slots, rates, pauses and the circuit of one endpoint. Used on the engine's loop only."""

    def admit(
        self, *, run: RunId, model: str, tokens: int, held: Held
    ) -> AbstractAsyncContextManager[Permit]:
        """Wait for a turn, fairly between runs; a slot is held until the context is left.

        `tokens` is the most that the call may use, input and output. ProviderError at once where
        the endpoint failed so often that it is left alone for now.
        """
        ...

    def gave_up(self, failure: Failure) -> None:
        """A call has failed for good, all its attempts included: the circuit counts these."""
        ...

    def late_after_s(self, model: str, hedging: Hedging) -> float | None:
        """How long a first token may take before it is late, by this model's own history; None as
        long as too little is known."""
        ...

    def hedge(self, *, model: str, tokens: int, hedging: Hedging) -> Permit | None:
        """A permit for a second request, taken at once or not at all: None where no slot or no rate
        is free, while the endpoint pauses, or where the share of hedged calls is used up.

        The caller releases it when that request has ended.
        """
        ...


class Reservation(Protocol):
    """Money and tokens set aside for one request, at the most that it can take."""

    @property
    def max_tokens(self) -> int | None:
        """The longest answer that is paid for; None has no limit."""
        ...

    def settle(self, usage: Usage, cost: Cost | None) -> None:
        """What it really took; always called, once, also after a failure or a Stop."""
        ...


class Purse(Protocol):
    """What one run may spend. Used on the engine's loop only."""

    async def reserve(
        self, plan: BranchPlan, model: ModelRef, held: Callable[[], None] | None = None
    ) -> Reservation:
        """Set aside the worst case of one request; a ProviderError of kind `budget` where it
        doesn't fit, naming the cap and what would be needed.

        Where it may fit once calls under way are settled, it waits for them and tells `held` so;
        without `held` it doesn't wait.
        """
        ...

    async def reserve_vectors(self, model: ModelRef, texts: Sequence[str]) -> Reservation:
        """The same for texts that an embedding model is asked for."""
        ...


class Calls(Protocol):
    """The kernel's view of the process it runs in."""

    @property
    def ladder(self) -> Ladder:
        """Which form of structured answer each model is known to manage."""
        ...

    def provider(self, model: ModelRef) -> Provider:
        """Who answers for that model. Raises ProviderError if its endpoint is gone."""
        ...

    def gate(self, endpoint: EndpointId) -> Gate:
        """Where every call to that endpoint passes, over all runs."""
        ...

    def endpoint_policy(self, endpoint: EndpointId) -> EndpointPolicy:
        """What is so at that endpoint, whatever the workflow says."""
        ...

    @property
    def prefixes(self) -> PrefixMemory:
        """Where computing a common beginning once was seen to bring something."""
        ...

    def primer(self, endpoint: EndpointId) -> Primer | None:
        """Who can compute a common beginning there on its own; None: only a branch can go ahead."""
        ...

    def cost(self, model: ModelRef, usage: Usage) -> Cost | None:
        """What that usage costs at that model; None is unknown."""
        ...

    def embedding_model(self, endpoint: EndpointId) -> ModelRef | None:
        """Who turns texts into vectors at that endpoint; None where nobody does."""
        ...

    async def search(
        self,
        queries: Sequence[str],
        *,
        limit: int,
        documents: Sequence[str],
        model: ModelRef,
        embed: Embed,
    ) -> tuple[Hit, ...]:
        """The user's passages for these queries, best first; no documents named: all of them.

        `model` says whose endpoint may be asked for embeddings, by `embed`. ProviderError if there
        is nothing to search in.
        """
        ...
