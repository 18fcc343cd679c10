"""The scripted provider: the script is followed, and both of its fronts behave alike."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.endpoint import Endpoint
from fanout.errors import DefinitionError, ProviderError
from fanout.providers.base import ChatRequest, Done, Provider, StreamItem, TextPiece, Thought
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import (
    DEMO,
    Fault,
    Playback,
    Reply,
    Rule,
    Script,
    improvised,
    pieces_of,
)
from fanout.providers.script_file import load_script
from fanout.providers.scripted import Scripted
from fanout.providers.scripted_server import main, serving
from fanout.types import EndpointId, Failure, FailureKind, Message


def chat(prompt: str, model: str = "scripted") -> ChatRequest:
    return ChatRequest(model=model, messages=(Message(role="user", content=prompt),))


async def outcome(provider: Provider, request: ChatRequest) -> tuple[str, Done | Failure]:
    items: list[StreamItem] = []
    end: Done | Failure
    try:
        async with provider.stream(request) as stream:
            async for item in stream:
                items.append(item)  # noqa: PERF401 - what came before a failure counts
    except ProviderError as problem:
        end = problem.failure
    else:
        last = items.pop()
        assert isinstance(last, Done)
        end = last
    assert all(isinstance(item, TextPiece | Thought) for item in items)
    return "".join(item.text for item in items if isinstance(item, TextPiece)), end


def test_the_first_rule_that_fits_answers_and_then_repeats_its_last_reply() -> None:
    joke = Rule(prompt="joke", replies=(Reply(status=429), Reply(text="Ha.")))
    big = Rule(model="big", replies=(Reply(text="Big."),))
    playback = Playback(Script(rules=(joke, big), otherwise=Reply(text="Else.")))

    def asked(prompt: str, model: str) -> str | int | None:
        reply = playback.next_reply(model=model, prompt=prompt)
        return reply.text if reply.status == 200 else reply.status

    calls = [("a joke", "big"), ("a poem", "big"), ("a joke", "small"), ("a joke", "big"), ("", "")]
    assert [asked(*call) for call in calls] == [429, "Big.", "Ha.", "Ha.", "Else."]


def test_a_rule_without_replies_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one reply"):
        Rule(replies=())


@given(st.text(max_size=300))
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces_of(text)) == text


def test_an_improvised_answer_is_about_the_topic_and_always_the_same() -> None:
    prompt = "Write a poem about remote work. Keep it short."
    assert "remote work" in improvised(prompt)
    assert improvised(prompt) == improvised(prompt)
    assert improvised(prompt) != improvised("Write a joke about remote work.")
    assert "no model wrote this" in improvised(prompt)


@given(st.text(max_size=200))
def test_any_prompt_can_be_improvised_on(prompt: str) -> None:
    assert improvised(prompt).strip()


async def test_the_demo_answers_anything_at_a_readable_pace() -> None:
    assert (DEMO.otherwise.tokens_per_s or 0) > 0
    quick = Script(otherwise=Reply())
    text, end = await outcome(Scripted(quick), chat("Topic: remote work"))
    assert "remote work" in text
    assert isinstance(end, Done)


QUICK_FAULTS = [None, *(fault for fault in Fault if not fault.startswith("stall"))]


@pytest.mark.parametrize("fault", QUICK_FAULTS)
async def test_a_script_does_the_same_in_this_process_and_over_http(fault: Fault | None) -> None:
    script = Script(rules=(Rule(replies=(Reply(text="A short answer.", fault=fault),)),))
    inside = Scripted(script, name="Acme AI")
    with serving(script) as server:
        place = Endpoint(id=EndpointId("x"), name="Acme AI", base_url=server.base_url)
        outside = OpenAICompatible(place)
        one = await outcome(inside, chat("Hello"))
        two = await outcome(outside, chat("Hello"))
        await outside.aclose()
    if isinstance(one[1], Failure) and isinstance(two[1], Failure):
        # How a connection fails is known more exactly outside.
        assert one[1].kind is two[1].kind
        assert one[0] == two[0] or fault is Fault.DROPPED
    else:
        assert one == two


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429, 500, 503])
async def test_an_error_status_is_the_same_failure_in_this_process(status: int) -> None:
    script = Script(rules=(Rule(replies=(Reply(status=status, retry_after="3"),)),))
    with serving(script) as server:
        place = Endpoint(id=EndpointId("x"), name="Acme AI", base_url=server.base_url)
        outside = OpenAICompatible(place)
        one = await outcome(Scripted(script, name="Acme AI"), chat("Hello"))
        two = await outcome(outside, chat("Hello"))
        await outside.aclose()
    assert isinstance(one[1], Failure)
    assert isinstance(two[1], Failure)
    assert (one[1].kind, one[1].retryable, one[1].retry_after_s) == (
        two[1].kind,
        two[1].retryable,
        two[1].retry_after_s,
    )


@pytest.mark.parametrize("fault", [Fault.STALL_FIRST, Fault.STALL_MIDWAY])
async def test_a_stall_lasts_until_it_is_cancelled(fault: Fault) -> None:
    provider = Scripted(Script(otherwise=Reply(text="A short answer.", fault=fault)))
    got: list[StreamItem] = []
    with anyio.move_on_after(0.1) as scope:
        async with provider.stream(chat("Hello")) as items:
            async for item in items:
                got.append(item)  # noqa: PERF401
    assert scope.cancelled_caught
    assert bool(got) == (fault is Fault.STALL_MIDWAY)
    assert provider.streaming == 0


async def test_the_pace_of_a_script_is_kept() -> None:
    provider = Scripted(Script(otherwise=Reply(text="word " * 10, tokens_per_s=100)))
    began_s = anyio.current_time()
    await outcome(provider, chat("Hello"))
    # Eleven pieces, the first at once: a lower bound that no slow machine can break.
    assert anyio.current_time() - began_s >= 0.1


async def test_an_unpaced_script_lets_its_siblings_run() -> None:
    provider = Scripted(Script(otherwise=Reply(text="word " * 50)))
    order: list[int] = []

    async def read(number: int) -> None:
        async with provider.stream(chat("Hello")) as items:
            async for _ in items:
                order.append(number)  # noqa: PERF401

    async with anyio.create_task_group() as group:
        group.start_soon(read, 1)
        group.start_soon(read, 2)
    assert order != sorted(order)
    assert [request.messages[0].content for request in provider.requests] == ["Hello", "Hello"]


async def test_the_server_speaks_the_rest_of_the_protocol() -> None:
    with serving(Script(otherwise=Reply(text="Hi."), models=("a",))) as server:
        async with httpx2.AsyncClient(base_url=server.base_url, trust_env=False) as client:
            models = (await client.get("/models")).json()
            body = {"model": "a", "messages": [{"role": "user", "content": "Hello"}]}
            whole = (await client.post("/chat/completions", json=body)).json()
            bad = await client.post("/chat/completions", content=b"[")
            lost = await client.get("/nowhere")
    assert [model["id"] for model in models["data"]] == ["a"]
    assert whole["choices"][0]["message"]["content"] == "Hi."
    assert whole["usage"]["prompt_tokens"] == 1
    assert (bad.status_code, lost.status_code) == (400, 404)
    assert lost.json()["error"]["message"] == "Invalid URL (GET /v1/nowhere)"
    assert [request.prompt for request in server.requests] == ["Hello"]


FILE = """
models = ["one", "two"]
rejects = ["stream_options"]
rejects_forms = ["json_schema"]
embeddings = false

[[rule]]
prompt = "joke"
[[rule.reply]]
status = 429
retry_after = "1"
[[rule.reply]]
text = "Ha."
tokens_per_s = 60

[otherwise]
fault = "empty"
"""


def test_a_script_can_be_written_as_toml(tmp_path: Path) -> None:
    path = tmp_path / "script.toml"
    path.write_text(FILE, encoding="utf-8")
    replies = (Reply(status=429, retry_after="1"), Reply(text="Ha.", tokens_per_s=60))
    assert load_script(path) == Script(
        rules=(Rule(prompt="joke", replies=replies),),
        otherwise=Reply(fault=Fault.EMPTY),
        models=("one", "two"),
        rejects=frozenset({"stream_options"}),
        rejects_forms=frozenset({"json_schema"}),
        embeddings=False,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules = []", "field rules"),
        ("[[rule]]\nprompt = 'x'\nreply = []", "field rule.0.reply"),
        ("[otherwise]\nfault = 'boredom'", "field otherwise.fault"),
        ("[otherwise]\ntokens_per_s = 0", "field otherwise.tokens_per_s"),
        ("models =", "not valid TOML"),
    ],
)
def test_a_wrong_script_file_says_which_field(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=says) as raised:
        load_script(path)
    assert "script.toml" in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_the_server_command_complains_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        taken = server.base_url.removesuffix("/v1").rpartition(":")[2]
        assert main(["--port", taken]) == 2
    assert "can't be used" in capsys.readouterr().err
    assert main(["--script", str(tmp_path / "none.toml")]) == 2
    assert "none.toml can't be read" in capsys.readouterr().err


def test_a_failure_of_a_script_names_the_provider() -> None:
    provider = Scripted(Script(otherwise=Reply(fault=Fault.RESET)), name="Stage")
    _, end = anyio.run(outcome, provider, chat("Hello"))
    assert isinstance(end, Failure)
    assert end.kind is FailureKind.CONNECTION
    assert "Stage" in end.message
