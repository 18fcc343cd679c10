"""What the endpoint provider sends, to whom, and what it makes of keys and addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from fanout.endpoint import Secret
from fanout.errors import ProviderError
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Fault, Reply, Script
from fanout.providers.scripted_server import serving
from fanout.types import FailureKind
from tests.providers.asking import KEY, TEXT, chat, endpoint, failure_of_asking, one, told


async def test_the_request_says_what_was_asked_and_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("API_KEY", "ORG_ID", "PROJECT_ID", "ADMIN_KEY"):
        monkeypatch.setenv(f"OPENAI_{name}", "sk-of-another-endpoint")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other: sk-of-another-endpoint")
    with serving(one(Reply(text=TEXT))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        await told(provider, chat("Hello", extra={"repeat_penalty": 1.3}))
        with_key = OpenAICompatible(endpoint(server.base_url), Secret(f" {KEY}\n"))
        await told(with_key, chat("Hello", temperature=0.5, max_tokens=9))
        await provider.aclose()
        await with_key.aclose()
    bare, full = server.requests
    assert bare.body == {
        "model": "big-1",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "repeat_penalty": 1.3,
    }
    assert (full.body["temperature"], full.body["max_tokens"]) == (0.5, 9)
    assert "authorization" not in bare.headers
    assert full.headers["authorization"] == f"Bearer {KEY}"
    for request in (bare, full):
        assert "another-endpoint" not in str(request.headers)


async def test_a_server_without_stream_options_is_asked_again_without() -> None:
    with serving(one(Reply(text=TEXT), rejects=frozenset({"stream_options"}))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        text, done = await told(provider, chat())
        assert (text, done.usage) == (TEXT, None)
        await told(provider, chat(model="another"))
        await provider.aclose()
    assert ["stream_options" in request.body for request in server.requests] == [True, False, False]


async def test_a_reasoning_model_is_asked_again_in_its_own_terms() -> None:
    rejects = frozenset({"max_tokens", "temperature"})
    with serving(one(Reply(text=TEXT), rejects=rejects)) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        for _ in range(2):
            assert (await told(provider, chat(temperature=0.2, max_tokens=50)))[0] == TEXT
        await provider.aclose()
    assert len(server.requests) == 4
    for request in server.requests[2:]:
        assert request.body["max_completion_tokens"] == 50
        assert not rejects & request.body.keys()


async def test_a_temperature_out_of_range_is_not_dropped_in_silence() -> None:
    reply = Reply(status=400, message="temperature must be between 0 and 2")
    with serving(one(reply)) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        failure = await failure_of_asking(provider, chat(temperature=3.0))
        await provider.aclose()
    assert failure.kind is FailureKind.BAD_RESPONSE
    assert "between 0 and 2" in failure.message
    assert len(server.requests) == 1


async def test_no_failure_tells_the_key_or_the_prompt() -> None:
    prompt = "My diagnosis is none of your business at all."
    said = f"Key {KEY} (Bearer {KEY}) can't ask this: {prompt}"
    replies = [Reply(status=status, message=said) for status in (400, 401, 404, 429, 500)]
    replies += [
        Reply(fault=Fault.ERROR_IN_STREAM, message=said),
        Reply(fault=Fault.REFUSAL, message=said),
    ]
    with serving(one(*replies)) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        for _ in replies:
            message = (await failure_of_asking(provider, chat(prompt))).message
            assert KEY not in message
            assert "diagnosis" not in message
        await provider.aclose()


async def test_a_key_that_the_server_does_not_know_is_an_auth_failure() -> None:
    with serving(Script(key="sk-right")) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        failure = await failure_of_asking(provider, chat())
        assert failure.kind is FailureKind.AUTH
        assert KEY not in failure.message
        with pytest.raises(ProviderError) as raised:
            await provider.models()
        assert raised.value.failure.kind is FailureKind.AUTH
        right = OpenAICompatible(endpoint(server.base_url), Secret("sk-right"))
        assert await right.models() == ("scripted",)
        await right.aclose()
        await provider.aclose()


@pytest.mark.parametrize("key", ["sk-schlüssel", "sk-two words", "sk-line\nbreak", "sk-“quoted”"])
async def test_a_key_that_can_not_be_sent_is_an_auth_failure(key: str) -> None:
    provider = OpenAICompatible(endpoint("http://127.0.0.1:1/v1"), Secret(key))
    failure = await failure_of_asking(provider, chat())
    assert failure.kind is FailureKind.AUTH
    assert key not in failure.message


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nothing listens on, and that nobody else is given meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_nobody_listening_is_a_connection_failure(closed_port: int) -> None:
    provider = OpenAICompatible(endpoint(f"http://127.0.0.1:{closed_port}/v1"))
    failure = await failure_of_asking(provider, chat())
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECTION, True)
    assert f"Nothing answers at 127.0.0.1:{closed_port}" in failure.message
    with pytest.raises(ProviderError):
        await provider.models()
    await provider.aclose()


@pytest.mark.parametrize(
    "base_url",
    ["", "localhost:8000/v1", "ftp://acme.test/v1", "http://", "http://[::1", "http://a:b/v1"],
)
async def test_a_base_url_that_is_none_is_not_worth_a_retry(base_url: str) -> None:
    provider = OpenAICompatible(endpoint(base_url), Secret(KEY))
    failure = await failure_of_asking(provider, chat())
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECTION, False)
    assert "not a valid web address" in failure.message


async def test_a_base_url_without_v1_says_so() -> None:
    with serving() as server:
        provider = OpenAICompatible(endpoint(server.base_url.removesuffix("/v1")))
        failure = await failure_of_asking(provider, chat())
        await provider.aclose()
    assert failure.kind is FailureKind.BAD_RESPONSE
    assert "usually ends in /v1" in failure.message


async def test_the_models_of_a_server_are_listed() -> None:
    with serving(Script(models=("zeta", "alpha"))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        assert await provider.models() == ("alpha", "zeta")
        await provider.aclose()


async def test_a_list_keeps_what_only_another_persons_key_says() -> None:
    Secret("a-model-named-like-a-key")
    names = ("a-model-named-like-a-key", "named-with-own-key-0123")
    with serving(Script(models=names)) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret("own-key-0123"))
        assert await provider.models() == ("a-model-named-like-a-key",)
        await provider.aclose()


@contextmanager
def flood(status: bytes) -> Iterator[str]:
    """A server that never stops saying nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pour() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n\r\n"
                )
                while True:
                    connection.sendall(b" " * 1_000_000)

        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        thread.join(10)


@pytest.mark.parametrize(
    ("ask", "status"), [("models", b"200 OK"), ("answer", b"500 Internal Server Error")]
)
async def test_what_never_ends_is_given_up_and_not_kept_in_memory(ask: str, status: bytes) -> None:
    with flood(status) as base_url:
        provider = OpenAICompatible(endpoint(base_url))
        with pytest.raises(ProviderError) as raised:
            await (provider.models() if ask == "models" else told(provider, chat()))
        await provider.aclose()
    assert "without end" in str(raised.value)
    assert raised.value.failure.kind is FailureKind.BAD_RESPONSE
