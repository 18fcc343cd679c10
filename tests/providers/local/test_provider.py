"""The bundled model as a provider: real answers, two at once, and a crash in mid-answer."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from fanout.endpoint import Secret
from fanout.errors import FormRefused, ProviderError
from fanout.providers.base import ChatRequest, Done, TextPiece
from fanout.providers.local.provider import MAX_TOKENS, SAMPLING, TEMPERATURE, LocalProvider, tuned
from fanout.providers.local.server import Address, LocalServer
from fanout.providers.local.weights import LocalModel
from fanout.structured.asking import Rung, asked, response_format
from fanout.structured.reading import read
from fanout.types import FailureKind, Form, Message
from tests.structured.forms import VOTE

pytestmark = pytest.mark.model


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[LocalProvider]:
    provider = LocalProvider(LocalServer(tmp_path))
    yield provider
    await provider.aclose()


def request(text: str, max_tokens: int | None = 24) -> ChatRequest:
    message = Message(role="user", content=text)
    return ChatRequest(model="any", messages=(message,), max_tokens=max_tokens, temperature=0.0)


async def answer(provider: LocalProvider, text: str, max_tokens: int = 24) -> tuple[str, Done]:
    async with provider.stream(request(text, max_tokens)) as items:
        seen = [item async for item in items]
    assert isinstance(seen[-1], Done)
    return "".join(item.text for item in seen if isinstance(item, TextPiece)), seen[-1]


async def test_it_starts_on_first_need_and_answers(provider: LocalProvider) -> None:
    text, done = await answer(provider, "What is the capital of France?")
    assert "Paris" in text
    assert done.usage is not None
    assert done.usage.output > 0
    assert not done.usage.estimated


async def test_two_branches_write_at_the_same_time(provider: LocalProvider) -> None:
    order: list[str] = []

    async def branch(name: str) -> None:
        async with provider.stream(request(f"Write a long {name}.", 60)) as items:
            async for _ in items:
                order.append(name)  # noqa: PERF401 (the order of arrival is what is looked at)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(branch, "story")
        tasks.start_soon(branch, "poem")
    turns = sum(a != b for a, b in pairwise(order))
    assert turns > 4, "one branch wrote after the other"


async def test_a_crash_in_mid_answer_is_a_failure_that_the_next_attempt_survives(
    provider: LocalProvider,
) -> None:
    with pytest.raises(ProviderError) as raised:
        async with provider.stream(request("Write a very long story.", 2000)) as items:
            await anext(items)
            assert provider.server.pid is not None
            os.kill(provider.server.pid, signal.SIGKILL)
            async for _ in items:
                pass
    assert raised.value.failure.kind is FailureKind.CONNECTION
    assert raised.value.failure.retryable
    assert "stopped in mid-answer" in raised.value.failure.message
    text, _ = await answer(provider, "Say hello")
    assert text


async def test_a_text_that_is_too_long_says_how_much_is_too_long(provider: LocalProvider) -> None:
    with pytest.raises(ProviderError, match=r"too long for SmolLM2 135M.* 8,192 at once") as raised:
        await answer(provider, "word " * 9000)
    assert raised.value.failure.kind is FailureKind.BAD_RESPONSE
    assert not raised.value.failure.retryable


async def test_a_model_that_cannot_start_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    provider = LocalProvider(LocalServer(tmp_path, str(tmp_path / "gone.gguf")))
    with pytest.raises(ProviderError, match="no model file") as raised:
        await answer(provider, "Say hello")
    assert raised.value.failure.kind is FailureKind.SERVER
    assert not raised.value.failure.retryable
    await provider.aclose()


def test_a_requests_own_values_win_over_the_sampling_defaults(tmp_path: Path) -> None:
    model = LocalModel(
        path=tmp_path,
        title="Model",
        id="model",
        source="bundled",
        trained_context=None,
        bytes_per_token=None,
    )
    address = Address("http://127.0.0.1:1/v1", Secret(""), model)
    plain = tuned(replace(request("hello", None), temperature=None), address)
    assert (plain.model, plain.temperature, plain.max_tokens) == ("model", TEMPERATURE, MAX_TOKENS)
    assert plain.extra == SAMPLING
    own = ChatRequest(
        model="any",
        messages=(),
        temperature=0.0,
        max_tokens=7,
        extra=MappingProxyType({"top_p": 0.1, "seed": 3}),
    )
    kept = tuned(own, address)
    assert (kept.temperature, kept.max_tokens) == (0.0, 7)
    assert kept.extra == {**SAMPLING, "top_p": 0.1, "seed": 3}


async def test_a_vote_of_the_bundled_model_has_its_form_and_an_end(
    provider: LocalProvider,
) -> None:
    prompt = "Judge this comment: allow it, flag it or block it.\n\nComment:\nBuy cheap watches!"
    for temperature in (0.3, 0.8):
        messages = asked((Message(role="user", content=prompt),), VOTE, Rung.JSON_SCHEMA)
        form = response_format(VOTE, Rung.JSON_SCHEMA)
        asking = replace(
            request("", 300), messages=messages, temperature=temperature, response_format=form
        )
        async with provider.stream(asking) as items:
            seen = [item async for item in items]
        text = "".join(item.text for item in seen if isinstance(item, TextPiece))
        assert isinstance(seen[-1], Done)
        assert seen[-1].finish_reason == "stop"
        reading = read(VOTE, text)
        assert reading.rung == "json", reading.problem
        assert reading.value is not None


async def test_a_schema_that_llama_cpp_can_not_compile_is_a_refused_form(
    provider: LocalProvider,
) -> None:
    broken = Form(name="vote", schema={"type": "object", "properties": {"a": {"type": "wibble"}}})
    form = response_format(broken, Rung.JSON_SCHEMA)
    with pytest.raises(FormRefused, match="wibble"):
        async with provider.stream(replace(request("Hi"), response_format=form)) as items:
            await anext(items)


async def test_many_calls_in_a_row_all_get_through(provider: LocalProvider) -> None:
    """llama.cpp hangs up on connections that are used again: about one call in eight was lost."""
    async with anyio.create_task_group() as group:
        for worker in range(3):

            async def ask_often(worker: int = worker) -> None:
                for i in range(12):
                    await answer(provider, f"Say {worker} and {i}.", max_tokens=3)

            group.start_soon(ask_often)
