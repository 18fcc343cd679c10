"""A provider that plays a script inside this process: fast, deterministic, without a network.

It plays the very bytes that `scripted_server` would send, through the decoder and the failure
table that real endpoints go through, so what works here works there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import anyio.lowlevel

from fanout.errors import ProviderError
from fanout.providers.answer import Answer, read_answer
from fanout.providers.base import ChatRequest, Embedded, Opened, StreamItem
from fanout.providers.embedding import not_offered
from fanout.providers.failures import failure_of
from fanout.providers.form_refusal import provider_error
from fanout.providers.problems import Asked, Problem, WebPage
from fanout.providers.rate_headers import rates_in
from fanout.providers.script import DEMO, Playback, Script
from fanout.providers.script_cache import PromptCache
from fanout.providers.script_embeddings import tokens_of, vector_of
from fanout.providers.script_wire import (
    Rejected,
    check,
    check_embeddings,
    check_form,
    played,
    seed_of,
)
from fanout.types import Usage


class Scripted:
    """A `Provider` that answers from a script; `requests` holds what it was asked, in order."""

    def __init__(self, script: Script = DEMO, *, name: str = "Scripted answers") -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        self.embedded: list[tuple[str, ...]] = []
        """The texts of each call for embeddings."""
        self.streaming = 0
        """Answers that are open right now."""
        self._playback = Playback(script)
        self._cache = PromptCache(script.caches_from)

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self._stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """Near vectors for texts with the same words."""
        await anyio.lowlevel.checkpoint()
        self.embedded.append(tuple(texts))
        asked = Asked(endpoint=self.name, model=model, host="this process")
        try:
            check_embeddings(self._playback.script)
        except Rejected as problem:
            failure = not_offered(problem.answer, asked) or failure_of(problem.answer, asked)
            raise ProviderError(failure) from None
        usage = Usage(input=tokens_of(texts))
        return Embedded(vectors=tuple(vector_of(text) for text in texts), usage=usage)

    async def aclose(self) -> None:
        """Nothing to release."""

    @asynccontextmanager
    async def _stream(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        self.requests.append(request)
        self.streaming += 1
        try:
            async with aclosing(self._items(request)) as items:
                yield items
        finally:
            self.streaming -= 1

    async def _items(self, request: ChatRequest) -> AsyncGenerator[StreamItem]:
        asked = Asked(
            endpoint=self.name,
            model=request.model,
            host="this process",
            in_form=request.response_format is not None,
        )
        prompt = prompt_of(request)
        script = self._playback.script
        try:
            if request.response_format is not None:
                check(script, {"response_format": None}, f"Bearer {script.key}")
                check_form(script, request.response_format, prompt)
            reply = self._playback.next_reply(
                model=request.model,
                prompt=prompt,
                response_format=request.response_format,
                seed=seed_of(request.temperature, request.extra),
            )
            given = {"model": request.model, "prompt": prompt}
            reply = self._cache.reply(reply, **given)
            body = self._cache.kept(played(reply, **given, with_usage=True), **given)
            rates = rates_in(reply.headers)
            opened = Opened(rates=rates) if rates is not None else None
            read = read_answer(body, Answer(asked), opened)
            async with aclosing(body), aclosing(read) as items:
                async for item in items:
                    yield item
        except Rejected as problem:
            answer = problem.answer
            met: Problem = answer if answer.status != 200 else WebPage()
            raise provider_error(met, asked) from None


def prompt_of(request: ChatRequest) -> str:
    """What rules are matched against: all messages, one after the other."""
    return "\n\n".join(message.content for message in request.messages)
