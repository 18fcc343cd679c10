"""A provider that answers by what it reads in the prompt, for judges who know what they like."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import anyio
import anyio.lowlevel

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.providers.base import ChatRequest, Done, Embedded, StreamItem, TextPiece
from fanout.providers.scripted import prompt_of
from fanout.types import Usage
from tests.rig import AT_ONCE, HERE

Answering = Callable[[ChatRequest], str]
_SHOWN = re.compile(r'^Text ([A-Z]):\n("""[a-z]*)\n(.*?)\n\2$', re.MULTILINE | re.DOTALL)


class Reader:
    """A `Provider` whose answers are a function of the request."""

    def __init__(self, answer: Answering) -> None:
        self.requests: list[ChatRequest] = []
        self.embedding = threading.Event()
        self._answer = answer

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self._stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """Never comes; `embedding` is set once it is asked for."""
        self.embedding.set()
        await anyio.sleep_forever()
        raise AssertionError("for ever is over")

    async def aclose(self) -> None:
        """Nothing to release."""

    @asynccontextmanager
    async def _stream(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        self.requests.append(request)
        yield self._items(self._answer(request))

    async def _items(self, text: str) -> AsyncGenerator[StreamItem]:
        await anyio.lowlevel.checkpoint()
        yield TextPiece(text=text)
        yield Done(finish_reason="stop", usage=Usage(input=1, output=1))


@contextmanager
def reading(answer: Answering, *, embedding_model: str = "") -> Iterator[tuple[Engine, Reader]]:
    """An engine whose one endpoint answers so."""
    provider = Reader(answer)
    book = EndpointBook(lambda _endpoint, _key: provider)
    book.put(Endpoint(id=HERE, name="Here", base_url="", embedding_model=embedding_model))
    with Engine(book, retries=AT_ONCE) as engine:
        yield engine, provider


def texts_shown(request: ChatRequest) -> dict[str, str]:
    """The anonymised texts of a judge's prompt by their letters."""
    return {letter: text for letter, _, text in _SHOWN.findall(prompt_of(request))}


def ranked_by(taste: Callable[[str], float], reason: str = "By taste.") -> Answering:
    """A judge who likes texts best for which `taste` is highest."""

    def answer(request: ChatRequest) -> str:
        shown = texts_shown(request)
        letters = sorted(shown, key=lambda letter: -taste(shown[letter]))
        return json.dumps({"reason": reason, "ranking": letters})

    return answer
