"""The real bundled model: what calls share is computed once, and every slot begins from it."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from fanout.providers.base import ChatRequest, Done, Primer, TextPiece
from fanout.providers.local.provider import LocalProvider
from fanout.providers.local.server import LocalServer
from fanout.providers.local.state_folder import FOLDER
from fanout.structured.asking import Rung, asked, response_format
from fanout.types import Message, Usage
from tests.structured.forms import VOTE

pytestmark = pytest.mark.model

SHARED = "The old lighthouse keeper counted nine ships, and wrote each of them into his book. " * 12
"""About 220 tokens."""


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[LocalProvider]:
    provider = LocalProvider(LocalServer(tmp_path))
    yield provider
    await provider.aclose()


def request(question: str, shared: str = SHARED) -> ChatRequest:
    return ChatRequest(
        model="any",
        messages=(Message(role="user", content=f"{shared}\n\n{question}"),),
        max_tokens=6,
        temperature=0.0,
        extra=MappingProxyType({"seed": 1}),
    )


QUESTIONS = tuple(request(f"{word}?") for word in ("Who counted", "Ships", "What", "Why", "When"))


async def answer(provider: LocalProvider, asking: ChatRequest) -> tuple[str, Usage]:
    async with provider.stream(asking) as items:
        seen = [item async for item in items]
    done = seen[-1]
    assert isinstance(done, Done)
    assert done.usage is not None
    return "".join(item.text for item in seen if isinstance(item, TextPiece)), done.usage


async def answers(
    provider: LocalProvider, requests: Sequence[ChatRequest]
) -> list[tuple[str, Usage]]:
    """At most as many at a time as there are slots, as the engine's gate has it."""
    found: dict[int, tuple[str, Usage]] = {}
    slots = anyio.Semaphore(3)

    async def one(number: int) -> None:
        async with slots:
            found[number] = await answer(provider, requests[number])

    async with anyio.create_task_group() as group:
        for number in range(len(requests)):
            group.start_soon(one, number)
    return [found[number] for number in range(len(requests))]


def files(home: Path) -> list[Path]:
    return [path for path in (home / FOLDER).rglob("*.state") if path.is_file()]


async def test_more_calls_than_slots_all_begin_behind_what_they_share(
    provider: LocalProvider, tmp_path: Path
) -> None:
    assert isinstance(provider, Primer)
    primed = await provider.prime(QUESTIONS)
    assert primed is not None
    assert primed.tokens > 200
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    found = await answers(provider, QUESTIONS)
    for _, usage in found:
        assert primed.tokens <= usage.cached < usage.input
        assert usage.input - usage.cached < 30
    assert files(tmp_path) == [], "the last one that needed it was given it"


async def test_a_copied_state_goes_on_word_for_word_like_the_one_it_was_copied_from(
    provider: LocalProvider,
) -> None:
    longer = [replace(each, max_tokens=20) for each in QUESTIONS]
    assert await provider.prime(longer) is not None
    computed, copied, again = [await answer(provider, longer[0]) for _ in range(3)]
    assert computed == copied == again


async def test_answers_in_a_form_share_a_beginning_too(provider: LocalProvider) -> None:
    form = response_format(VOTE, Rung.JSON_SCHEMA)
    votes = [
        replace(
            each,
            messages=asked(each.messages, VOTE, Rung.JSON_SCHEMA),
            response_format=form,
            max_tokens=60,
        )
        for each in QUESTIONS[:2]
    ]
    primed = await provider.prime(votes)
    assert primed is not None
    found = await answers(provider, votes)
    assert [usage.cached for _, usage in found] == [primed.tokens] * 2
    assert all(text.startswith("{") for text, _ in found)


async def test_an_answer_under_way_is_not_disturbed(provider: LocalProvider) -> None:
    """Two copies take the other slots, and a third waits, while one answer is being written."""
    long = replace(request("Tell it on.", shared="A story about rain."), max_tokens=120)
    alone, _ = await answer(provider, long)
    texts: list[str] = []
    begun = anyio.Event()

    async def write() -> None:
        async with provider.stream(long) as items:
            async for item in items:
                begun.set()
                if isinstance(item, TextPiece):
                    texts.append(item.text)

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        await begun.wait()
        primed = await provider.prime(QUESTIONS)
        found = [await answer(provider, each) for each in QUESTIONS]
    assert primed is not None
    assert all(usage.cached >= primed.tokens for _, usage in found)
    assert len("".join(texts)) > 100
    assert "".join(texts)[:40] == alone[:40]


async def test_where_states_cannot_be_kept_calls_are_answered_all_the_same(
    provider: LocalProvider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await answer(provider, request("Hello", shared=""))
    (folder,) = (tmp_path / FOLDER).iterdir()
    primed = await provider.prime(QUESTIONS[:3])
    assert primed is not None
    for file in files(tmp_path):
        file.write_bytes(b"no state at all")
    found = await answers(provider, QUESTIONS[:3])
    assert all(usage.output for _, usage in found)
    assert "each does it" in caplog.text
    assert "lighthouse" not in caplog.text
    for path in [*folder.iterdir(), folder]:
        path.rmdir() if path.is_dir() else path.unlink()
    other = [
        request(word, shared="Another text, about bees and their keepers. " * 9) for word in "ab"
    ]
    assert await provider.prime(other) is None
    assert (await answer(provider, other[0]))[1].output


async def test_what_shares_next_to_nothing_is_not_worth_a_state(
    provider: LocalProvider, tmp_path: Path
) -> None:
    assert await provider.prime([request("One", "A"), request("Two", "B")]) is None
    assert await provider.prime(QUESTIONS[:1]) is None
    assert files(tmp_path) == []


async def test_the_same_beginning_is_not_computed_a_second_time(provider: LocalProvider) -> None:
    first = await provider.prime(QUESTIONS)
    second = await provider.prime(QUESTIONS)
    assert first is not None
    assert second is not None
    assert second.tokens == first.tokens
    assert second.took_s < first.took_s / 2


async def test_nothing_is_left_when_the_model_is_switched_off(tmp_path: Path) -> None:
    provider = LocalProvider(LocalServer(tmp_path))
    assert await provider.prime(QUESTIONS) is not None
    assert len(files(tmp_path)) == 1
    await provider.aclose()
    assert list((tmp_path / FOLDER).iterdir()) == []


async def test_a_model_that_cannot_start_computes_nothing_and_says_nothing(tmp_path: Path) -> None:
    provider = LocalProvider(LocalServer(tmp_path, str(tmp_path / "gone.gguf")))
    assert await provider.prime(QUESTIONS) is None
    await provider.aclose()
