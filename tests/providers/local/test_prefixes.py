"""The real bundled model: what calls share is computed once, and every slot begins from it."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from fanout.endpoint import BUNDLED
from fanout.engine.local_models import LocalModels
from fanout.providers.base import ChatRequest, Done, Primer, TextPiece
from fanout.providers.local.provider import LocalProvider
from fanout.providers.local.server import LocalServer
from fanout.providers.local.state_folder import FOLDER
from fanout.structured.asking import Rung, asked, response_format
from fanout.types import Message, Usage
from tests.structured.forms import VOTE

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
async def provider(home: Path) -> AsyncIterator[LocalProvider]:
    """One for all tests here: each brings a beginning of its own."""
    provider = LocalProvider(LocalServer(home))
    yield provider
    await provider.aclose()


def request(question: str, beginning: str = "") -> ChatRequest:
    return ChatRequest(
        model="any",
        messages=(Message(role="user", content=f"{beginning}\n\n{question}"),),
        max_tokens=6,
        temperature=0.0,
        extra=MappingProxyType({"seed": 1}),
    )


def questions(who: str, count: int = 5) -> tuple[ChatRequest, ...]:
    """Calls that begin with about 110 tokens of their own."""
    text = f"The old {who} counted nine ships, and wrote each of them into his book. " * 6
    words = ("Who counted", "Ships", "What", "Why", "When")
    return tuple(request(f"{word}?", text) for word in words[:count])


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
    return list((home / FOLDER).rglob("*.state"))


async def test_more_calls_than_slots_all_begin_behind_what_they_share(
    provider: LocalProvider, home: Path
) -> None:
    asking = questions("lighthouse keeper")
    primed = await provider.prime(asking)
    assert primed is not None
    assert primed.tokens > 100
    (file,) = files(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    for _, usage in await answers(provider, asking):
        assert primed.tokens <= usage.cached < usage.input
        assert usage.input - usage.cached < 30
    assert files(home) == [], "the last one that needed it was given it"


async def test_a_copied_state_goes_on_word_for_word_like_the_one_it_was_copied_from(
    provider: LocalProvider,
) -> None:
    asking = [replace(each, max_tokens=20) for each in questions("pilot", 3)]
    assert await provider.prime(asking) is not None
    computed, copied, again = [await answer(provider, asking[0]) for _ in range(3)]
    assert computed == copied == again


async def test_the_same_beginning_is_not_computed_a_second_time(
    provider: LocalProvider, home: Path
) -> None:
    asking = questions("ferryman")
    first, second = await provider.prime(asking), await provider.prime(asking)
    assert first is not None
    assert second is not None
    assert second.tokens == first.tokens
    assert second.took_s < first.took_s
    assert len(files(home)) == 1
    await answers(provider, [*asking, *asking])
    assert files(home) == []


async def test_answers_in_a_form_share_a_beginning_too(provider: LocalProvider) -> None:
    form = response_format(VOTE, Rung.JSON_SCHEMA)
    votes = [
        replace(
            each,
            messages=asked(each.messages, VOTE, Rung.JSON_SCHEMA),
            response_format=form,
            max_tokens=12,
        )
        for each in questions("harbour master", 2)
    ]
    primed = await provider.prime(votes)
    assert primed is not None
    found = await answers(provider, votes)
    assert [usage.cached for _, usage in found] == [primed.tokens] * 2
    assert all(text.startswith("{") for text, _ in found)


async def test_an_answer_under_way_is_not_disturbed(provider: LocalProvider) -> None:
    """Copies take the other slots, one after the other, while one answer is being written."""
    long = replace(request("Tell a story about rain."), max_tokens=80)
    texts: list[str] = []
    begun = anyio.Event()

    async def write() -> None:
        async with provider.stream(long) as items:
            async for item in items:
                begun.set()
                if isinstance(item, TextPiece):
                    texts.append(item.text)

    alone, _ = await answer(provider, long)
    asking = questions("fisherman", 3)
    async with anyio.create_task_group() as group:
        group.start_soon(write)
        await begun.wait()
        primed = await provider.prime(asking)
        found = [await answer(provider, each) for each in asking]
    assert primed is not None
    assert all(usage.cached >= primed.tokens for _, usage in found)
    assert "".join(texts)[:20] == alone[:20]


async def test_what_shares_next_to_nothing_is_not_worth_a_state(
    provider: LocalProvider, home: Path
) -> None:
    assert await provider.prime([request("One"), request("Two")]) is None
    assert await provider.prime(questions("sailor", 1)) is None
    assert files(home) == []


async def test_where_states_cannot_be_read_or_kept_calls_are_answered_all_the_same(
    provider: LocalProvider, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asking = questions("smuggler", 3)
    assert await provider.prime(asking) is not None
    for file in files(home):
        file.write_bytes(b"no state at all")
    assert all(usage.output for _, usage in await answers(provider, asking))
    assert "each does it" in caplog.text
    assert "smuggler" not in caplog.text
    (folder,) = (home / FOLDER).iterdir()
    folder.rename(home / "gone")
    assert await provider.prime(questions("diver")) is None
    assert (await answer(provider, questions("diver")[0]))[1].output


async def test_the_models_of_this_machine_compute_it_and_leave_nothing_when_they_close(
    tmp_path: Path,
) -> None:
    models = LocalModels(tmp_path, runs=list)
    assert isinstance(models, Primer)
    assert models.server.endpoint.id == BUNDLED
    named = [
        replace(each, model=models.server.endpoint.default_model) for each in questions("cook")
    ]
    assert await models.prime([named[0], replace(named[1], model="another")]) is None
    assert await models.prime(named) is not None
    assert len(files(tmp_path)) == 1
    await models.aclose()
    assert list((tmp_path / FOLDER).iterdir()) == []


async def test_a_model_that_cannot_start_computes_nothing_and_says_nothing(tmp_path: Path) -> None:
    provider = LocalProvider(LocalServer(tmp_path, str(tmp_path / "gone.gguf")))
    assert await provider.prime(questions("captain")) is None
    await provider.aclose()
