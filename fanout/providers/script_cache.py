"""The prompt cache of a scripted endpoint: it holds what was begun to be answered, and no more."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from fanout.providers.beginnings import shared_length
from fanout.providers.script import Reply, pieces_of

STEP = 128
"""Cached tokens are counted in steps of so many. Source: OpenAI, "Prompt caching"."""


class PromptCache:
    """Prompts whose first token was sent; a prompt that is still being read helps nobody."""

    def __init__(self, least: int) -> None:
        """`least` tokens have to be shared; 0 caches nothing."""
        self._least = least
        self._begun: list[tuple[str, str]] = []

    def reply(self, reply: Reply, *, model: str, prompt: str) -> Reply:
        """The reply, with what the cache holds of its prompt by now."""
        if not self._least or reply.cached_tokens:
            return reply
        shared = max(
            (shared_length(prompt, begun) for name, begun in self._begun if name == model),
            default=0,
        )
        tokens = len(pieces_of(prompt[:shared])) // STEP * STEP
        return replace(reply, cached_tokens=tokens) if tokens >= self._least else reply

    async def kept(
        self, body: AsyncGenerator[bytes], *, model: str, prompt: str
    ) -> AsyncGenerator[bytes]:
        """The same bytes; from the first on, the prompt is in the cache."""
        begun = False
        async with aclosing(body):
            async for data in body:
                if not begun:
                    begun = True
                    self._begun.append((model, prompt))
                yield data
