"""The one thing a provider does: stream an answer.

Every expected failure leaves a stream as `ProviderError`, so the kernel handles an endpoint across
the ocean, the model on this machine and a script in a test with the same twenty lines.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from fanout.types import Message, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """Request fields that only some servers know; sent as they are."""


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


StreamItem: TypeAlias = TextPiece | Done


class Provider(Protocol):
    """An endpoint that answers. Used on the engine's event loop only."""

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """Open the answer; leaving the context closes the connection.

        Raises ProviderError on entry or while iterating. A stream that ends without `Done` does not
        exist: the provider raises a `truncated` failure instead.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and processes; the provider is not used afterwards."""
        ...
