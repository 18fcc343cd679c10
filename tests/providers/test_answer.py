"""Reading one answer: servers differ in how they say the same, and in how they end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.errors import ProviderError
from fanout.providers.answer import Answer, read_answer
from fanout.providers.base import Done, TextPiece
from fanout.providers.problems import Asked
from fanout.providers.script import Fault, Reply
from fanout.providers.script_wire import played
from fanout.types import FailureKind, Usage

ASKED = Asked(endpoint="Acme AI", model="big-1")


def chunk(content: object = None, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


def read(*parts: bytes) -> tuple[str, Done]:
    answer, text = Answer(ASKED), ""
    for part in parts:
        piece = answer.feed(part)
        text += piece.text if piece else ""
    last = answer.flush()
    return text + (last.text if last else ""), answer.done()


def kind_of(*parts: bytes) -> FailureKind:
    with pytest.raises(ProviderError) as raised:
        read(*parts)
    return raised.value.failure.kind


async def bytes_of(reply: Reply) -> bytes:
    parts = played(reply, model="m", prompt="p", with_usage=True)
    return b"".join([part async for part in parts])


def test_a_character_that_was_cut_in_two_is_put_together() -> None:
    halves = chunk("Sun \ud83c"), chunk("\udf1e!", "stop"), b"data: [DONE]\n\n"
    assert read(*halves)[0] == "Sun 🌞!"


def test_half_a_character_does_not_break_an_answer() -> None:
    alone = chunk("a\ud800b"), chunk("c\udc00", "stop"), b"data: [DONE]\n\n"
    assert read(*alone)[0] == "a\ufffdbc\ufffd"


@given(st.text(min_size=1, max_size=40), st.data())
def test_an_answer_reads_the_same_wherever_its_bytes_are_cut(
    text: str, data: st.DataObject
) -> None:
    fault = data.draw(st.sampled_from([None, Fault.NOT_A_STREAM]))
    stream = anyio.run(bytes_of, Reply(text=f"{text}.", fault=fault))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    said, done = read(*parts)
    assert (said, done.finish_reason) == (f"{text}.", "stop")


def test_text_of_one_read_is_one_piece_that_counts_its_parts() -> None:
    assert Answer(ASKED).feed(chunk("a") + chunk("b") + chunk()) == TextPiece(text="ab", pieces=2)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_what_a_model_thinks_is_counted_and_not_text(name: str) -> None:
    thought = b"data: " + json.dumps({"choices": [{"delta": {name: "Hm."}}]}).encode() + b"\n\n"
    answer = Answer(ASKED)
    assert answer.feed(thought + thought) is None
    assert answer.take_thoughts() == 2
    assert answer.feed(chunk("Yes.") + thought) == TextPiece(text="Yes.")
    assert (answer.take_thoughts(), answer.thoughts) == (1, 0)


def test_content_in_typed_parts_is_its_text() -> None:
    parts = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "Yes."}]
    assert read(chunk(parts, finish="stop"))[0] == "Yes."


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4}, Usage(input=9, output=4)),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 8},
            Usage(input=9, output=4, cached=8),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 5},
            },
            Usage(input=9, output=4, cached=5),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(input=9)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": "many"}, None),
        (None, None),
        ("unknown", None),
    ],
)
def test_usage_is_read_as_reported_or_not_at_all(reported: object, usage: Usage | None) -> None:
    last = b"data: " + json.dumps({"choices": [], "usage": reported}).encode() + b"\n\n"
    assert read(chunk("Yes.", finish="stop"), last)[1].usage == usage
    assert read(chunk("Yes.", finish="stop", usage=reported))[1].usage == usage


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        pytest.param(b"", FailureKind.TRUNCATED, id="nothing"),
        pytest.param(b": ping\n\n", FailureKind.TRUNCATED, id="only a comment"),
        pytest.param(b"data: [DONE]\n\n", FailureKind.TRUNCATED, id="only [DONE]"),
        pytest.param(chunk("a") + b"data: [DONE]\n\n", FailureKind.TRUNCATED, id="no reason"),
        pytest.param(chunk(" \n", "stop"), FailureKind.EMPTY, id="only blanks"),
        pytest.param(chunk(None, "tool_calls"), FailureKind.EMPTY, id="only tools"),
        pytest.param(chunk("a", "error"), FailureKind.SERVER, id="reason error"),
        pytest.param(b"  <!doctype html>", FailureKind.BAD_RESPONSE, id="page"),
        pytest.param(b"{}", FailureKind.BAD_RESPONSE, id="empty object"),
        pytest.param(b"[1]", FailureKind.BAD_RESPONSE, id="list"),
        pytest.param(b"data: 7\n\n", FailureKind.BAD_RESPONSE, id="number"),
        pytest.param(b'{"error": "Slow down"}', FailureKind.SERVER, id="error object"),
        pytest.param(b'data: {"message": "x", "code": 429}\n\n', FailureKind.RATE_LIMIT, id="bare"),
    ],
)
def test_an_end_that_is_none_is_a_failure(stream: bytes, kind: FailureKind) -> None:
    assert kind_of(stream) is kind


async def test_what_breaks_after_the_finish_reason_spoils_nothing() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield chunk("Yes.", finish="stop")
        raise httpx2.ReadError("reset")

    items = [item async for item in read_answer(body(), Answer(ASKED))]
    assert items == [TextPiece(text="Yes."), Done(finish_reason="stop")]


async def test_what_breaks_before_it_is_a_failure() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield chunk("Ye")
        raise httpx2.ReadError("reset")

    with pytest.raises(ProviderError) as raised:
        async for item in read_answer(body(), Answer(ASKED)):
            assert item == TextPiece(text="Ye")
    assert raised.value.failure.kind is FailureKind.CONNECTION
