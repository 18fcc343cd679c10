"""The values that every layer shares: ids, messages, usage, cost, failures, plans.

Everything here is frozen and knows nothing of clocks, networks or screens, so that a run can be
recorded, replayed and compared by passing the same values around.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal, NewType

RunId = NewType("RunId", str)
BranchId = NewType("BranchId", str)
BatchId = NewType("BatchId", str)
EndpointId = NewType("EndpointId", str)

AGGREGATE = BranchId("aggregate")
"""The id of the combining call; no branch of a workflow may have it."""

Role = Literal["system", "user", "assistant"]


class BranchState(StrEnum):
    """One vocabulary for column, chart, export and database."""

    READY = "ready"
    QUEUED = "queued"
    """Waiting for a slot of its endpoint; no request has been sent."""
    WAITING = "waiting"
    """The request is sent and no token has come yet."""
    WRITING = "writing"
    RETRYING = "retrying"
    """Backing off between two attempts."""
    DONE = "done"
    CACHED = "cached"
    STOPPED = "stopped"
    """A person's choice: neutral, the text so far is kept."""
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    """Not needed any more: vote decided, or budget reached."""

    @property
    def finished(self) -> bool:
        return self in _FINISHED

    @property
    def succeeded(self) -> bool:
        return self in (BranchState.DONE, BranchState.CACHED)


_FINISHED = frozenset(
    {
        BranchState.DONE,
        BranchState.CACHED,
        BranchState.STOPPED,
        BranchState.FAILED,
        BranchState.TIMED_OUT,
        BranchState.SKIPPED,
    }
)


class RunStatus(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """There is an answer, but a branch or the combining call is missing from it."""
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """Its process ended before it did; what was written is kept, and it can be resumed."""

    @property
    def finished(self) -> bool:
        return self is not RunStatus.RUNNING


class FailureKind(StrEnum):
    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    TIMEOUT_FIRST_TOKEN = "timeout_first_token"
    TIMEOUT_IDLE = "timeout_idle"
    TIMEOUT_TOTAL = "timeout_total"
    CONNECTION = "connection"
    SERVER = "server"
    BAD_RESPONSE = "bad_response"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    EMPTY = "empty"
    UNKNOWN_MODEL = "unknown_model"
    BUDGET = "budget"
    BUG = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An expected failure, as data: shown, stored and charted, never raised past the kernel."""

    kind: FailureKind
    message: str
    """What happened, to whom, what to do next. Holds no key, no prompt and no path."""
    retryable: bool = False
    retry_after_s: float | None = None
    """Seconds the endpoint asked us to wait; None if it did not say."""

    @property
    def timed_out(self) -> bool:
        return self.kind in (
            FailureKind.TIMEOUT_FIRST_TOKEN,
            FailureKind.TIMEOUT_IDLE,
            FailureKind.TIMEOUT_TOTAL,
        )


ENDED_WITH_FANOUT = Failure(
    kind=FailureKind.CONNECTION,
    message="Fanout ended while this was at work, so it is not finished. Resume asks it again.",
    retryable=True,
)
"""Beside the state `stopped`: nobody chose to stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or several calls."""

    input: int = 0
    """All input tokens; the cached ones are part of them."""
    output: int = 0
    cached: int = 0
    estimated: bool = False
    """True where the endpoint reported nothing and the numbers are ours ("≈" on screen)."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            estimated=self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What tokens cost, in US dollars per million tokens, and who says so."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    """Price of a cached input token; None means it costs what any input token costs."""
    source: str

    @property
    def free(self) -> bool:
        return not (self.input or self.output or self.cached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money for one call, and the price behind it. Unknown is None, never a Cost of 0."""

    usd: Decimal
    price: Price
    estimated: bool = False
    """True where the usage behind it was estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """Which model answers, and where."""

    endpoint: EndpointId
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long one attempt may take, in seconds; None waits without limit."""

    first_token_s: float | None = 120.0
    idle_s: float | None = 60.0
    total_s: float | None = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The shape that an answer should have, so that a program can read it too."""

    name: str
    """Letters, digits and _: what the endpoint is told the schema is called."""
    schema: Mapping[str, object]
    """A JSON schema of an object whose properties stand in the order in which they are written:
    the reason before the verdict."""

    needed: tuple[str, ...] | None = None
    """The properties without which an answer is of no use; None: all that are required. More is
    asked for than is needed, so that an answer is not lost for a detail."""

    @property
    def lenient(self) -> Form:
        """The form as an answer is read by it."""
        if self.needed is None:
            return self
        return replace(self, schema={**self.schema, "required": list(self.needed)})


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPlan:
    """All that is needed to make one call: decided before the run, kept with it."""

    id: BranchId
    title: str
    model: ModelRef
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further request fields that only some servers know, such as repeat_penalty."""
    form: Form | None = None
    """None leaves the answer free text."""
    fallback: tuple[ModelRef, ...] = ()
    """Who is asked, in this order, where the model itself can't answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFact:
    """What is kept of an endpoint with a run: never a key, nor a whole address."""

    name: str
    host: str
    """Host and port; "" for a model inside this process's own server."""
    on_this_machine: bool


class Via(StrEnum):
    """How a batch's calls reach the endpoint."""

    CALLS = "calls"
    """One request each, as in any run."""
    PROVIDER = "provider_batch"
    """The provider's Batch API: cheaper, answered within a day, nothing to watch meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlace:
    """Which row of which batch a run is; kept with the run."""

    batch: BatchId
    number: int
    via: Via = Via.CALLS


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWith:
    """What a run was made with, so that it can be understood and done again later."""

    model: ModelRef
    """The run's own model; branches may name others."""
    definition: Mapping[str, object] = field(default_factory=dict)
    """The workflow as it was run, edits included, as plain JSON."""
    endpoints: Mapping[EndpointId, EndpointFact] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    """Name to version: fanout, python, openai."""
    sequential: bool = False
    """Its branches were asked one after another, to measure what going parallel brings."""
    derived_from: RunId | None = None
    """The run whose topic it repeats in another way."""
    estimate: Forecast | None = None
    """What it was thought to take before it started; None in runs of earlier versions."""
    row: RowPlace | None = None
    """The row of a batch that it is; None for a run that somebody started by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run was thought to take; money in US dollars, None where a price is unknown."""

    input_tokens: int
    output_tokens_least: int
    output_tokens_most: int
    low_usd: Decimal | None
    high_usd: Decimal | None
