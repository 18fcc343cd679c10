"""What the tests of the endpoint provider share: one question, asked of one scripted server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import anyio.to_thread
import pytest

from fanout.endpoint import Endpoint
from fanout.errors import ProviderError
from fanout.providers.base import ChatRequest, Done, Opened, TextPiece, Thought
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle
from fanout.types import EndpointId, Failure, Message

KEY = "sk-test-Zm9vYmFyYmF6cXV4"
TEXT = "Größe matters — 🦜 says so, twice."


def endpoint(base_url: str) -> Endpoint:
    return Endpoint(id=EndpointId("test"), name="Acme AI", base_url=base_url)


def chat(prompt: str = "Say something about parrots.", **fields: object) -> ChatRequest:
    request = ChatRequest(model="big-1", messages=(Message(role="user", content=prompt),))
    return replace(request, **fields)  # type: ignore[arg-type]


async def told(provider: OpenAICompatible, request: ChatRequest) -> tuple[str, Done]:
    text = ""
    async with provider.stream(request) as items:
        async for item in items:
            match item:
                case TextPiece():
                    text += item.text
                case Done():
                    return text, item
                case Opened() | Thought():
                    pass
    raise AssertionError("no Done")


async def failure_of_asking(provider: OpenAICompatible, request: ChatRequest) -> Failure:
    with pytest.raises(ProviderError) as raised:
        await told(provider, request)
    assert str(raised.value) == raised.value.failure.message
    return raised.value.failure


async def seen(server: ServerHandle, condition: Callable[[ServerHandle], bool]) -> bool:
    return await anyio.to_thread.run_sync(partial(server.wait_until, condition))


def one(*replies: Reply, **script: object) -> Script:
    return Script(rules=(Rule(replies=replies),), **script)  # type: ignore[arg-type]
