"""How a run behaves under fire: retries, fan-in, hedging, prefixes, money. Chosen before it starts.

Values only: the kernel obeys them, the screen shows and edits them, a run keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Literal

PrefixMode = Literal["auto", "on", "off"]
"""Whether what branches share at the beginning is computed once, before the others start; "auto"
decides by its size and by what the endpoint has been seen to do."""


class HoldReason(StrEnum):
    """What a queued branch waits for."""

    SLOT = "slot"
    """The endpoint answers as many calls as it may at once."""
    RATE = "rate"
    """Requests or tokens per minute are used up."""
    PAUSE = "pause"
    """The endpoint asked somebody to wait, so everybody waits."""
    PREFIX = "prefix"
    """Another branch opens the way: what they share at the beginning is computed once."""
    BUDGET = "budget"
    """What is left of the budget is set aside for calls under way; what they leave may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """One retry loop for every endpoint; the SDK's own is switched off so that waits are seen."""

    attempts: int = 4
    """Requests in all, the first one included; each model of a fallback has as many."""
    total_s: float = 300.0
    """No attempt is begun later than this after a call's first one."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 20.0
    longest_asked_s: float = 120.0
    """An endpoint that asks for a longer wait than this is not waited for."""
    restarts: int = 1
    """How often a call that broke off in mid-answer is begun anew, its column visibly emptied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanIn:
    """When the answer is combined: when all have ended, or what of these comes first."""

    k: int | None = None
    """As soon as so many branches have succeeded."""
    deadline_s: float | None = None
    """So many seconds after the branches were begun, with what is there by then; but never with
    nothing."""

    @property
    def waits_for_all(self) -> bool:
        return self.k is None and self.deadline_s is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedging:
    """A second request where the first token is late; the first token wins.

    Source: Dean and Barroso 2013, The Tail at Scale, hedged requests.
    """

    enabled: bool = False
    quantile: float = 0.95
    """Late is later than this share of the model's own first tokens so far."""
    least_s: float = 1.0
    """Nothing is late before this."""
    share: float = 0.05
    """At most this share of an endpoint's calls is hedged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent at most; None has no cap."""

    usd: Decimal | None = None
    tokens: int | None = None
    """Input and output together."""

    @property
    def capped(self) -> bool:
        return self.usd is not None or self.tokens is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All of them for one run."""

    retries: RetryPolicy = field(default_factory=RetryPolicy)
    fan_in: FanIn = field(default_factory=FanIn)
    hedging: Hedging = field(default_factory=Hedging)
    prefix: PrefixMode = "auto"
    budget: Budget = field(default_factory=Budget)
    run_s: float | None = None
    """The whole run's deadline: what is still open then has timed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPolicy:
    """What is so at one endpoint, whatever the workflow; None leaves it to others to say."""

    requests_per_minute: int | None = None
    """None: learnt from what the endpoint says with its answers, or no limit."""
    tokens_per_minute: int | None = None
    attempts: int | None = None
    """Fewer or more requests per call than the workflow's policy has."""
    first_token_s: float | None = None
    """Longer or shorter than the workflow's deadline, as for models that think before they write;
    0 waits without limit."""
    hedging: bool | None = None
    prefix: PrefixMode | None = None
    circuit_failures: int = 5
    """So many calls in a row that gave up for the endpoint's sake, retries included, and new ones
    fail at once; 0 never."""
    circuit_s: float = 20.0
    """For so long at first; then one call tries, and where it fails, for twice as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFacts:
    """What an endpoint says about its own limits with an answer (`x-ratelimit-*`); None: nothing.

    Source: OpenAI API reference, "Rate limits in headers".
    """

    requests_limit: int | None = None
    requests_left: int | None = None
    requests_reset_s: float | None = None
    """Seconds until the whole limit is there again."""
    tokens_limit: int | None = None
    tokens_left: int | None = None
    tokens_reset_s: float | None = None
