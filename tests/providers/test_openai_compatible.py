"""The endpoint provider against a real HTTP server that does everything wrong a server can do."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from fanout.endpoint import Secret
from fanout.errors import ProviderError
from fanout.providers.base import Done, TextPiece
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Fault, Reply
from fanout.providers.scripted_server import serving
from fanout.types import FailureKind, Usage
from tests.providers.asking import KEY, TEXT, chat, endpoint, failure_of_asking, one, seen, told


async def test_an_answer_comes_whole_with_its_usage() -> None:
    with serving(one(Reply(text=TEXT, cached_tokens=2))) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        text, done = await told(provider, chat("one two three four"))
        await provider.aclose()
    assert text == TEXT
    assert done == Done(finish_reason="stop", usage=Usage(input=4, output=8, cached=2))


async def test_pieces_are_counted_however_they_are_joined() -> None:
    reply = Reply(text="word " * 200, pieces_per_write=50)
    with serving(one(reply)) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        async with provider.stream(chat()) as items:
            pieces = [item async for item in items if isinstance(item, TextPiece)]
        await provider.aclose()
    assert "".join(piece.text for piece in pieces) == reply.text
    # The last of them is the blank at the end of the text.
    assert sum(piece.pieces for piece in pieces) == 201
    assert len(pieces) < 201


STATUSES = [
    (401, FailureKind.AUTH, False),
    (402, FailureKind.QUOTA, False),
    (403, FailureKind.AUTH, False),
    (404, FailureKind.UNKNOWN_MODEL, False),
    (429, FailureKind.RATE_LIMIT, True),
    (500, FailureKind.SERVER, True),
    (503, FailureKind.SERVER, True),
]


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_an_error_status_becomes_its_failure(
    status: int, kind: FailureKind, retryable: bool
) -> None:
    with serving(one(Reply(status=status, retry_after="2"))) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        failure = await failure_of_asking(provider, chat())
        await provider.aclose()
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert failure.retry_after_s == (2 if retryable else None)
    assert len(server.requests) == 1


FAULTS = [
    (Fault.REFUSED_CONNECTION, FailureKind.CONNECTION),
    (Fault.RESET, FailureKind.CONNECTION),
    (Fault.DROPPED, FailureKind.CONNECTION),
    (Fault.NO_FINISH, FailureKind.TRUNCATED),
    (Fault.BAD_JSON, FailureKind.BAD_RESPONSE),
    (Fault.ERROR_IN_STREAM, FailureKind.SERVER),
    (Fault.HTML_PAGE, FailureKind.BAD_RESPONSE),
    (Fault.REDIRECT, FailureKind.BAD_RESPONSE),
    (Fault.EMPTY, FailureKind.EMPTY),
    (Fault.REFUSAL, FailureKind.REFUSED),
    (Fault.CONTENT_FILTER, FailureKind.REFUSED),
    (Fault.ALL_REASONING, FailureKind.EMPTY),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
async def test_a_broken_answer_becomes_its_failure(fault: Fault, kind: FailureKind) -> None:
    with serving(one(Reply(text=TEXT, fault=fault), Reply(text="fine"))) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        assert (await failure_of_asking(provider, chat())).kind is kind
        # The next call is none the worse for it.
        assert (await told(provider, chat()))[0] == "fine"
        await provider.aclose()


async def test_text_that_came_before_a_break_is_kept() -> None:
    with serving(one(Reply(text=TEXT, fault=Fault.DROPPED, tokens_per_s=200))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        text = ""
        with pytest.raises(ProviderError):
            async with provider.stream(chat()) as items:
                async for item in items:
                    assert isinstance(item, TextPiece)
                    text += item.text
        await provider.aclose()
    assert text
    assert TEXT.startswith(text)


@pytest.mark.parametrize(
    ("fault", "reason", "has_usage"),
    [
        (Fault.LENGTH, "length", True),
        (Fault.NO_USAGE, "stop", False),
        (Fault.NOT_A_STREAM, "stop", True),
    ],
)
async def test_an_unusual_answer_is_still_an_answer(
    fault: Fault, reason: str, has_usage: bool
) -> None:
    with serving(one(Reply(text=TEXT, fault=fault))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        text, done = await told(provider, chat())
        await provider.aclose()
    assert text == TEXT
    assert (done.finish_reason, done.usage is not None) == (reason, has_usage)


async def test_reasoning_is_not_part_of_the_answer() -> None:
    with serving(one(Reply(text=TEXT, reasoning="Let me think about that."))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        assert (await told(provider, chat()))[0] == TEXT
        await provider.aclose()


STALLS = [
    pytest.param(Reply(fault=Fault.STALL_FIRST), id="before the headers"),
    pytest.param(Reply(text=TEXT, fault=Fault.STALL_MIDWAY), id="in mid-answer"),
    pytest.param(Reply(text="word " * 2000, tokens_per_s=100), id="while words come"),
]


@pytest.mark.parametrize("reply", STALLS)
async def test_being_cancelled_hangs_up_at_once(reply: Reply) -> None:
    with serving(one(reply)) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        async with anyio.create_task_group() as group:
            group.start_soon(told, provider, chat())
            assert await seen(server, lambda handle: handle.in_flight == 1)
            group.cancel_scope.cancel()
        assert await seen(server, lambda handle: handle.in_flight == 0)
        assert server.disconnects == 1
        await provider.aclose()


async def test_leaving_early_hangs_up_at_once() -> None:
    with serving(one(Reply(text="word " * 2000, tokens_per_s=100))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        async with provider.stream(chat()) as items:
            async for item in items:
                assert isinstance(item, TextPiece)
                break
        assert await seen(server, lambda handle: handle.disconnects == 1)
        await provider.aclose()


async def test_whole_answers_use_one_connection_again() -> None:
    with serving(one(Reply(text=TEXT))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        for _ in range(3):
            async with provider.stream(chat()) as items:
                async for item in items:
                    if isinstance(item, Done):
                        break
        await provider.aclose()
    assert (len(server.requests), server.connections) == (3, 1)


async def test_branches_are_answered_at_the_same_time() -> None:
    with serving(one(Reply(text=TEXT, tokens_per_s=100))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(told, provider, chat())
        await provider.aclose()
    assert server.most_in_flight == 12
