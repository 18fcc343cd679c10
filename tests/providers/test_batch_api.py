"""The Batch API over HTTP: what is handed over, what comes back, and what it all may look like."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fanout.endpoint import Endpoint, Secret
from fanout.errors import FormRefused, ProviderError
from fanout.providers.base import ChatRequest, Done, TextPiece
from fanout.providers.batch_api.answers import (
    BatchAnswer,
    CutOff,
    Line,
    input_line,
    lines_of,
    output_line,
    packed,
    unpacked,
)
from fanout.providers.batch_api.client import BatchApi, FileMissing, NotMade
from fanout.providers.batch_api.remote import JobError, remote_job
from fanout.providers.batch_script import JobScript
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.types import EndpointId, Failure, FailureKind, Message

KEY = "sk-tests-0123456789"
ASKED = ChatRequest(
    model="m",
    messages=(Message(role="user", content="Why does it rain?"),),
    temperature=0.5,
    max_tokens=9,
    extra={"seed": 3},
)
WHOLE = {
    "choices": [{"message": {"content": "Because."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 2},
}


@asynccontextmanager
async def asking(
    script: Script | None = None, base_url: str = "", key: str = ""
) -> AsyncIterator[tuple[BatchApi, ServerHandle]]:
    with serving(script or Script(otherwise=Reply(text="Because."), key=key)) as server:
        provider = provider_at(base_url or server.base_url, key)
        yield provider.batch_api(), server
        await provider.aclose()


def provider_at(base_url: str, key: str = "") -> OpenAICompatible:
    endpoint = Endpoint(id=EndpointId("e"), name="Here", base_url=base_url)
    return OpenAICompatible(endpoint, Secret(key) if key else None)


def unasked(base_url: str = "http://127.0.0.1:9/v1") -> BatchApi:
    """One that nothing is sent to."""
    return provider_at(base_url).batch_api()


def line_of(api: BatchApi, key: str, asked: ChatRequest = ASKED) -> bytes:
    return input_line(key, json.dumps(api.body(asked)))


async def read(api: BatchApi, file: str) -> list[Line]:
    async with api.lines(file) as lines:
        return [line async for line in lines]


async def test_a_job_goes_from_its_file_to_its_answers() -> None:
    async with asking() as (api, server):
        file = await api.upload("one.jsonl", line_of(api, "a") + line_of(api, "b"))
        assert await api.strays("one.jsonl") == [file]
        made = await api.create(file, "mine")
        seen = await api.look(made.id)
        assert seen is not None and seen.over and (seen.status, seen.told) == ("completed", 2)
        assert seen.mark == "mine" and seen.input_file == file
        lines = await read(api, seen.output_file)
        await api.discard(file)
        assert await api.strays("one.jsonl") == []
    assert [line.key for line in lines] == ["a", "b"] == server.batches.answered
    *text, done = api.items(ASKED, lines[0].answer)
    assert [piece.text for piece in text if isinstance(piece, TextPiece)] == ["Because."]
    assert isinstance(done, Done) and done.finish_reason == "stop"
    assert done.usage is not None and done.usage.output > 0
    assert json.loads(server.batches.prompts[0]) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why does it rain?"}],
        "temperature": 0.5,
        "max_tokens": 9,
        "seed": 3,
    }


async def test_a_job_is_found_again_by_its_mark_or_its_file_and_by_nothing_else() -> None:
    async with asking() as (api, _):
        file = await api.upload("one.jsonl", line_of(api, "a"))
        jobs = [await api.create(file, f"job-{n}") for n in range(120)]
        other = await api.upload("two.jsonl", line_of(api, "b"))
        found = await api.find("job-3", "", 0.0)
        assert found is not None and found.id == jobs[3].id, "on the second page"
        assert await api.find("job-999", "", 0.0) is None
        assert await api.find("job-999", other, 0.0) is None
        by_file = await api.find("job-999", file, 0.0)
        assert by_file is not None and by_file.input_file == file


@pytest.mark.parametrize(
    ("url", "offers"), [("https://api.openai.com/v1", True), ("", True), ("lost", False)]
)
async def test_an_endpoint_is_asked_whether_it_has_one_unless_that_is_known(
    url: str, offers: bool
) -> None:
    async with asking(base_url=url if url.startswith("http") else "") as (api, server):
        server.batches.offered = url != "lost"
        assert await api.offered() is offers


async def test_nobody_takes_a_refused_key_or_a_busy_server_for_no() -> None:
    async with asking() as (api, server):
        server.batches.refusals["list"] = deque([401, 429, 500])
        for kind in (FailureKind.AUTH, FailureKind.RATE_LIMIT, FailureKind.SERVER):
            with pytest.raises(ProviderError) as caught:
                await api.offered()
            assert caught.value.failure.kind is kind


async def test_a_server_without_one_says_so_when_a_file_is_handed_over() -> None:
    async with asking() as (api, server):
        server.batches.offered = False
        with pytest.raises(ProviderError) as caught:
            await api.upload("one.jsonl", b"{}")
    assert caught.value.failure.message == (
        "Here has no Batch API. Run the batch with single calls, or choose another endpoint."
    )


async def test_a_file_that_is_not_there_yet_is_told_from_a_job_that_is_refused() -> None:
    async with asking() as (api, server):
        with pytest.raises(FileMissing):
            await api.create("file-99", "mine")
        file = await api.upload("one.jsonl", line_of(api, "a"))
        server.batches.refusals["batches"] = deque([403])
        with pytest.raises(ProviderError) as caught:
            await api.create(file, "mine")
    assert not isinstance(caught.value, FileMissing)
    assert caught.value.failure.kind is FailureKind.AUTH


@pytest.mark.parametrize(
    ("status", "made"), [(400, False), (403, False), (429, False), (409, None), (500, None)]
)
async def test_a_refusal_to_make_a_job_is_told_from_an_outcome_that_nobody_knows(
    status: int, made: bool | None
) -> None:
    async with asking() as (api, server):
        file = await api.upload("one.jsonl", line_of(api, "a"))
        server.batches.refusals["batches"] = deque([status])
        with pytest.raises(ProviderError) as caught:
            await api.create(file, "mine")
    assert isinstance(caught.value, NotMade) is (made is False)


async def test_an_endpoint_that_lists_no_files_has_no_strays_and_a_busy_one_is_asked_again() -> (
    None
):
    async with asking() as (api, server):
        file = await api.upload("one.jsonl", line_of(api, "a"))
        server.batches.refusals["list"] = deque([405, 403, 503])
        assert await api.strays("one.jsonl") == [] == await api.strays("one.jsonl")
        with pytest.raises(ProviderError):
            await api.strays("one.jsonl")
        assert await api.strays("one.jsonl") == [file]


async def test_answers_that_are_not_there_are_told_from_a_key_that_is_refused() -> None:
    async with asking() as (api, server):
        with pytest.raises(FileMissing):
            await read(api, "file-99")
        file = await api.upload("one.jsonl", line_of(api, "a"))
        server.batches.refusals["content"] = deque([403])
        with pytest.raises(ProviderError) as caught:
            await read(api, file)
    assert not isinstance(caught.value, FileMissing)


async def test_a_job_that_is_unknown_or_over_can_be_called_off_without_harm() -> None:
    async with asking() as (api, _):
        file = await api.upload("one.jsonl", line_of(api, "a"))
        made = await api.create(file, "mine")
        assert await api.look("batch_99") is None
        await api.cancel("batch_99")
        await api.look(made.id)
        await api.cancel(made.id)


async def test_a_download_that_breaks_off_is_a_lost_connection() -> None:
    async with asking() as (api, server):
        file = await api.upload("one.jsonl", line_of(api, "a") + line_of(api, "b"))
        made = await api.create(file, "mine")
        seen = await api.look(made.id)
        assert seen is not None
        server.batches.cut.append(200)
        with pytest.raises(ProviderError) as caught:
            await read(api, seen.output_file)
        assert caught.value.failure.kind is FailureKind.CONNECTION
        assert caught.value.failure.retryable
        assert len(await read(api, seen.output_file)) == 2


async def test_a_key_that_an_answer_repeats_is_not_kept() -> None:
    async with asking(Script(otherwise=Reply(text=f"You sent {KEY}."), key=KEY), key=KEY) as (
        api,
        _,
    ):
        file = await api.upload("one.jsonl", line_of(api, "a"))
        seen = await api.look((await api.create(file, "mine")).id)
        assert seen is not None
        (line,) = await read(api, seen.output_file)
    assert KEY not in packed(line.answer) and "You sent ***." in line.answer.body


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


async def test_lines_come_out_whole_however_they_are_cut() -> None:
    text = b"".join(
        json.dumps({"custom_id": key, "response": {"status_code": 200, "body": WHOLE}}).encode()
        + b"\r\n"
        for key in ("a", "ü", "c")
    )
    for size in (1, 7, len(text)):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        lines = [line async for line in lines_of(parts(*pieces))]
        assert [line.key for line in lines] == ["a", "ü", "c"]


async def test_a_file_without_its_last_line_break_counts_and_half_a_line_does_not() -> None:
    whole = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": {}}}).encode()
    assert len([line async for line in lines_of(parts(whole))]) == 1
    with pytest.raises(CutOff):
        _ = [line async for line in lines_of(parts(whole + b"\n" + whole[:30]))]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"null", b'{"custom_id": 3}', b'{"id": "x"}', b"\xff", b"[" * 9999]
)
def test_what_is_no_line_of_an_output_file_is_left_out(text: bytes) -> None:
    assert output_line(text) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "batch_expired", "message": "Too late."}, "batch_expired"),
        ({"message": "Odd."}, "unknown"),
        (None, "unknown"),
        ("text", "unknown"),
    ],
)
def test_a_request_without_a_response_says_why(error: object, code: str) -> None:
    line = output_line(json.dumps({"custom_id": "a", "response": None, "error": error}).encode())
    assert line is not None and line.code == code and line.answer.status >= 400


def test_what_is_kept_of_an_answer_comes_back_as_it_was() -> None:
    answer = BatchAnswer(status=200, body='{"a": "ü\\u0000"}', shape="s")
    assert unpacked(packed(answer), "s") == answer
    failure = Failure(kind=FailureKind.SERVER, message="No.", retryable=True)
    assert unpacked(packed(BatchAnswer(failure=failure))).failure == failure
    assert packed(answer).isascii()


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (429, {"error": {"code": "rate_limit_exceeded", "message": "x"}}, "rate_limit", True),
        (429, {"error": {"code": "insufficient_quota", "message": "x"}}, "quota", False),
        (400, {"error": {"code": "content_filter", "message": "x"}}, "refused", False),
        (404, {"error": {"code": "model_not_found", "message": "x"}}, "unknown_model", False),
        (400, {"error": {"code": "string_above_max_length"}}, "bad_response", False),
        (500, {"error": {"message": "x"}}, "server", True),
        (200, {"choices": []}, "bad_response", False),
        (200, {**WHOLE, "choices": [{"message": {"content": ""}, "finish_reason": "length"}]},
         "empty", False),
        (200, {"choices": [{"message": {"content": "x"}}]}, "truncated", True),
        (200, {"choices": [{"message": {"content": None, "refusal": "No."},
                            "finish_reason": "stop"}]}, "refused", False),
        (200, {"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]},
         "refused", False),
        (200, "text", "bad_response", False),
    ],
)  # fmt: skip
def test_an_answer_fails_as_the_same_answer_of_a_single_call_would(
    status: int, body: object, kind: str, retryable: bool
) -> None:
    answer = BatchAnswer(status=status, body=json.dumps(body))
    with pytest.raises(ProviderError) as caught:
        list(unasked().items(ASKED, answer))
    assert (caught.value.failure.kind, caught.value.failure.retryable) == (kind, retryable)


def test_a_form_that_is_refused_is_told_from_a_question_that_is() -> None:
    body = json.dumps({"error": {"message": "response_format json_schema is not supported"}})
    asked = ChatRequest(model="m", messages=(), response_format={"type": "json_schema"})
    with pytest.raises(FormRefused):
        list(unasked().items(asked, BatchAnswer(status=400, body=body)))


def test_what_a_refusal_teaches_is_said_so_from_then_on() -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'."
    answer = BatchAnswer(status=400, body=json.dumps({"error": {"message": said}}))
    api = unasked()
    assert api.learn(ASKED, answer)
    assert api.body(ASKED)["max_completion_tokens"] == 9
    assert not api.learn(ASKED, answer), "it has nothing more to teach"


def test_openai_itself_is_told_the_longest_answer_in_its_newer_word_at_once() -> None:
    body = unasked("https://api.openai.com/v1").body(ASKED)
    assert body["max_completion_tokens"] == 9 and "max_tokens" not in body


@pytest.mark.parametrize("fields", [None, [], {}, {"id": 3}, "x"])
def test_what_is_no_batch_is_none(fields: object) -> None:
    assert remote_job(fields) is None


def test_a_batch_is_read_leniently() -> None:
    odd = remote_job({"id": "b", "status": None, "metadata": 3, "request_counts": [], "errors": 1})
    assert odd is not None and not odd.over and odd.told is None and odd.errors == ()
    failed = remote_job(
        {"id": "b", "status": "failed", "errors": {"data": [{"code": "c", "line": 2}, None]}}
    )
    assert failed is not None and failed.errors == (JobError(code="c", message="", line=2),)


async def test_the_scripted_server_checks_files_as_openai_does() -> None:
    async with asking() as (api, server):
        twice = await api.upload("x.jsonl", line_of(api, "a") * 2)
        made = await api.create(twice, "mine")
        seen = await api.look(made.id)
        assert seen is not None and seen.status == "failed"
        assert seen.errors[0].code == "duplicate_custom_id" and server.batches.answered == []
        server.batches.usual = JobScript(takes_s=60)
        slow = await api.create(await api.upload("y.jsonl", line_of(api, "a")), "slow")
        await api.cancel(slow.id)
        called_off = await api.look(slow.id)
        assert called_off is not None and called_off.status == "cancelled"
