"""The one thing a provider does: stream an answer.

Every expected failure leaves a stream as `ProviderError`, so the kernel handles an endpoint across
the ocean, the model on this machine and a script in a test with the same twenty lines.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from fanout.policies import RateFacts
from fanout.types import BranchId, Message, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """Request fields that only some servers know; sent as they are."""
    response_format: Mapping[str, object] | None = None
    """The form that the answer should have, as the protocol says it (`structured.asking`)."""
    call: BranchId | None = None
    """Which call of its run it is for; never sent."""
    question: tuple[Message, ...] = ()
    """What is asked, before anything was said of the form; never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The endpoint took the request; comes first, where the endpoint says anything with it."""

    rates: RateFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """The model thinks before it writes; what it thinks is counted and dropped."""

    pieces: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Primed:
    """The common beginning of several requests was computed once, and each will use it."""

    tokens: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPiece:
    """Text that arrived together: one network read may hold several stream pieces."""

    text: str
    pieces: int = 1
    """How many stream pieces with text it joins: about one per token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The endpoint said that the answer is complete; always the last item of a stream."""

    finish_reason: str
    usage: Usage | None = None
    """None where the endpoint did not report it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Texts as points: the nearer two of them are, the closer their meaning."""

    vectors: tuple[array[float], ...]
    """One of 32-bit floats per text, in the order of the texts; all of one size, all finite."""
    usage: Usage | None = None
    """None where the endpoint did not report it."""


StreamItem: TypeAlias = Opened | Thought | TextPiece | Done


class Provider(Protocol):
    """An endpoint that answers. Used on the engine's event loop only."""

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """Open the answer; leaving the context closes the connection.

        Raises ProviderError on entry or while iterating: FormRefused where it is the request's
        `response_format` that is not taken. A stream that ends without `Done` does not exist: the
        provider raises a `truncated` failure instead.
        """
        ...

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """A vector per text. Has its own deadline; ProviderError where there is no complete answer,
        also where the endpoint has no embeddings at all."""
        ...

    async def aclose(self) -> None:
        """Release connections and processes; the provider is not used afterwards."""
        ...


@runtime_checkable
class Primer(Protocol):
    """A provider that can compute what several requests begin with once, before they are sent."""

    async def prime(self, requests: Sequence[ChatRequest]) -> Primed | None:
        """None where that brings nothing or can't be done; never raises an expected failure.

        The requests are then streamed as always, and find their beginning there.
        """
        ...
