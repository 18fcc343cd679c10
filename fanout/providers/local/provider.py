"""The local model as a provider: makes sure its server runs, then streams like any endpoint.

A small model needs a firmer hand than a large one: without a repetition penalty 135M parameters
walk in circles. `SAMPLING` is that hand. A request's own values win over it, and other models than
the bundled one get llama.cpp's own defaults, which follow the model's file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from fanout.endpoint import Endpoint, Secret
from fanout.errors import LocalModelError, ProviderError
from fanout.providers.base import ChatRequest, Embedded, Primed, Provider, StreamItem
from fanout.providers.local.prefixes import Prefixes
from fanout.providers.local.server import Address, LocalServer
from fanout.providers.local.slot_server import SlotServer
from fanout.types import Failure, FailureKind

SAMPLING: Final = MappingProxyType(
    {
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.05,
        "repeat_penalty": 1.1,
        "repeat_last_n": 64,
        "frequency_penalty": 0.2,
        "dry_multiplier": 0.8,
        "dry_base": 1.75,
        "dry_allowed_length": 5,
        "dry_penalty_last_n": 1024,
    }
)
"""Chosen on the shipped workflows: without the last four ("don't repeat yourself" sampling) 2 of 26
texts repeated more than a tenth of their six-word runs, with them none did."""
FORM_SAMPLING: Final = MappingProxyType(
    {"top_p": 0.9, "top_k": 40, "min_p": 0.05, "repeat_penalty": 1.05, "repeat_last_n": 64}
)
"""For answers in a form, which repeats its marks and the prompt's words. Where that is punished,
the model writes "][" for a reason: 9 of 30 moderators' reasons, with these values 0 of 30."""
TEMPERATURE: Final = 0.3
MAX_TOKENS: Final = 1024
"""Where a request sets no limit: a small model may not find its own end."""

_TOO_LONG: Final = re.compile(r"\((\d+) tokens\) exceeds the available context size \((\d+)")

Connect = Callable[[Endpoint, Secret], Provider]


@dataclass(frozen=True, slots=True)
class _Line:
    """A provider connected to one life of the server."""

    address: Address
    provider: Provider
    prefixes: Prefixes


class LocalProvider:
    """Implements Provider on top of a LocalServer; `connect` makes the provider of its address."""

    def __init__(self, server: LocalServer, connect: Connect | None = None) -> None:
        self.server = server
        self._connect = connect or _openai_compatible
        self._line: _Line | None = None
        self._old: list[_Line] = []

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self._stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """Not offered: a model that writes makes poor vectors, and the bundled one none."""
        raise ProviderError(_no_embeddings(self.server.state.title))

    async def prime(self, requests: Sequence[ChatRequest]) -> Primed | None:
        """Compute what these begin with once; `stream` then starts each of them there."""
        try:
            line = await self._connected()
        except ProviderError:
            return None
        return await line.prefixes.prime([tuned(each, line.address) for each in requests])

    async def aclose(self) -> None:
        """Close the connections and end the server."""
        lines = [*self._old, *([self._line] if self._line else [])]
        self._line, self._old = None, []
        for line in lines:
            await line.provider.aclose()
            await line.prefixes.aclose()
        await self.server.aclose()

    @asynccontextmanager
    async def _stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[StreamItem]]:
        line = await self._connected()
        try:
            asked = tuned(request, line.address)
            async with (
                line.prefixes.slot(asked) as number,
                line.provider.stream(_in_slot(asked, number)) as items,
            ):
                yield items
        except ProviderError as error:
            broken = error.failure.kind in (FailureKind.CONNECTION, FailureKind.TRUNCATED)
            if broken and await self.server.suspect(line.address):
                raise ProviderError(_crashed(line.address.model.title)) from error
            if (too_long := _TOO_LONG.search(error.failure.message)) is not None:
                raise ProviderError(
                    _overfull(line.address.model.title, *too_long.groups())
                ) from error
            raise

    async def _connected(self) -> _Line:
        try:
            address = await self.server.ensure()
        except LocalModelError as error:
            raise ProviderError(Failure(kind=FailureKind.SERVER, message=str(error))) from error
        line = self._line
        if line is None or line.address is not address:
            if line is not None:
                # Its streams are still failing in other branches; closing it would disturb them.
                self._old.append(line)
            endpoint = replace(self.server.endpoint, base_url=address.base_url)
            line = _Line(address, self._connect(endpoint, address.key), _prefixes(address))
            self._line = line
        return line


def tuned(request: ChatRequest, address: Address) -> ChatRequest:
    request = replace(request, model=address.model.id, max_tokens=request.max_tokens or MAX_TOKENS)
    if address.model.source != "bundled":
        return request
    sampling = SAMPLING if request.response_format is None else FORM_SAMPLING
    return replace(
        request,
        temperature=TEMPERATURE if request.temperature is None else request.temperature,
        extra=MappingProxyType({**sampling, **request.extra}),
    )


def _in_slot(request: ChatRequest, number: int | None) -> ChatRequest:
    if number is None:
        return request
    return replace(request, extra=MappingProxyType({**request.extra, "id_slot": number}))


def _prefixes(address: Address) -> Prefixes:
    return Prefixes(
        SlotServer(address.base_url, address.key),
        slots=address.slots,
        folder=address.states,
        bytes_per_token=address.model.bytes_per_token,
    )


def _crashed(title: str) -> Failure:
    return Failure(
        kind=FailureKind.CONNECTION,
        message=f"{title} on this machine stopped in mid-answer. A new attempt starts it again.",
        retryable=True,
    )


def _overfull(title: str, tokens: str, context: str) -> Failure:
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"The text is too long for {title}: it has {int(tokens):,} tokens, and the model "
        f"holds {int(context):,} at once, its answer included. "
        "Shorten it, or choose another model.",
    )


def _no_embeddings(title: str) -> Failure:
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"{title} on this machine has no embeddings. Add an endpoint with an embedding "
        "model on the Models page, or go on without.",
    )


def _openai_compatible(endpoint: Endpoint, key: Secret) -> Provider:
    from fanout.providers.openai_compatible import OpenAICompatible

    return OpenAICompatible(endpoint, key)
