"""Answers that are written at the same time, and how long each is left alone between two reads.

A read costs about the same whether it brings one word or five. So where many answers flow in one
process, each socket is read less often, and a read brings several words. One run's answers are
read as they come. A first word is always taken at once, and an end that came with words as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from time import monotonic
from typing import Protocol

import anyio
import httpcore2
from anyio.abc import ByteReceiveStream

FEW = 32
"""So many answers flow without any pause."""
EACH_S = 0.001
LONGEST_S = 0.1
BEAT_S = 0.02
"""Pauses end on this beat: who reads in one turn of the loop shares the cost of its waking up."""


class Crowd:
    """The answers that flow in a process. Used on the engine's loop only."""

    def __init__(self, flowing: int = 0) -> None:
        self.flowing = flowing

    @property
    def pause_s(self) -> float:
        """What lies between two reads of one answer; 0 while there are few."""
        if self.flowing <= FEW:
            return 0.0
        now = monotonic()
        return ceil((now + min(LONGEST_S, self.flowing * EACH_S)) / BEAT_S) * BEAT_S - now


EVERYBODY = Crowd()
"""All answers of this process, whichever endpoint writes them."""


class Flow(Protocol):
    """An answer as its bytes come in."""

    @property
    def flowing(self) -> bool:
        """Whether its first word was there, and its end was not."""


async def _received(stream: ByteReceiveStream, max_bytes: int) -> bytes:
    """What the client's own read does, without setting up a deadline that it doesn't have."""
    try:
        return await stream.receive(max_bytes)
    except anyio.EndOfStream:
        return b""
    except (anyio.BrokenResourceError, anyio.ClosedResourceError) as problem:
        raise httpcore2.ReadError(str(problem)) from problem


@contextmanager
def unhurried(stream: object, answer: Flow, crowd: Crowd) -> Iterator[None]:
    """Read this network stream with pauses, from the first word of the answer to its end.

    The pause lies before the read itself, so that what was read is never kept waiting.
    """
    read = getattr(stream, "read", None)
    inner = getattr(stream, "_stream", None)
    counted = False

    async def read_later(max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        nonlocal counted
        if answer.flowing:
            if not counted:
                counted = True
                crowd.flowing += 1
            if pause_s := crowd.pause_s:
                await anyio.sleep(pause_s)
        if timeout is None and isinstance(inner, ByteReceiveStream):
            return await _received(inner, max_bytes)
        assert read is not None
        data: bytes = await read(max_bytes, timeout=timeout)
        return data

    with suppress(AttributeError):
        if read is not None:
            # The client reads through this very object; only this answer does for now.
            stream.read = read_later  # type: ignore[attr-defined]
    try:
        yield
    finally:
        crowd.flowing -= counted
        with suppress(AttributeError):
            del stream.read  # type: ignore[attr-defined]
