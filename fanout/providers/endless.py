"""A bound for what is read whole: lists, vectors and errors of a server that might never stop.

A streamed answer is none of these, nor is a file of answers: they are read piece by piece under
bounds and deadlines of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

MOST_BYTES = 64 * 1024 * 1024
"""A batch of 128 embeddings with 8,192 numbers each has about a third of that as JSON."""


class Endless(httpx2.DecodingError):
    """More came than any honest answer has."""


class Bounded(httpx2.AsyncByteStream):
    """The same bytes, and Endless after too many of them."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for data in self._stream:
            left -= len(data)
            if left < 0:
                raise Endless("too many bytes")
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """A response hook of the client."""
    kind = response.headers.get("content-type", "")
    if response.status_code == 200 and kind.startswith("text/event-stream"):
        return
    if response.status_code == 200 and response.request.url.path.endswith("/content"):
        return
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Bounded(response.stream)
