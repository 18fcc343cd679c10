"""A provider that plays a script inside this process: fast, deterministic, without a network.

It plays the very bytes that `scripted_server` would send, through the decoder and the failure
table that real endpoints go through, so what works here works there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from fanout.errors import ProviderError
from fanout.providers.answer import Answer, read_answer
from fanout.providers.base import ChatRequest, StreamItem
from fanout.providers.failures import failure_of
from fanout.providers.problems import Asked, Problem, WebPage
from fanout.providers.script import DEMO, Playback, Script
from fanout.providers.script_wire import Rejected, played


class Scripted:
    """A `Provider` that answers from a script; `requests` holds what it was asked, in order."""

    def __init__(self, script: Script = DEMO, *, name: str = "Scripted answers") -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        self.streaming = 0
        """Answers that are open right now."""
        self._playback = Playback(script)

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self._stream(request)

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
        asked = Asked(endpoint=self.name, model=request.model, host="this process")
        prompt = prompt_of(request)
        reply = self._playback.next_reply(model=request.model, prompt=prompt)
        body = played(reply, model=request.model, prompt=prompt, with_usage=True)
        try:
            async with aclosing(body), aclosing(read_answer(body, Answer(asked))) as items:
                async for item in items:
                    yield item
        except Rejected as problem:
            answer = problem.answer
            met: Problem = answer if answer.status != 200 else WebPage()
            raise ProviderError(failure_of(met, asked)) from None


def prompt_of(request: ChatRequest) -> str:
    """What rules are matched against: all messages, one after the other."""
    return "\n\n".join(message.content for message in request.messages)
