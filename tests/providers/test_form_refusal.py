"""Forms that an endpoint refuses: told from other refusals, said again in its dialect, not retried.

The sentences are what servers really answer; llama.cpp's were read from the bundled model's server.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.endpoint import Secret
from fanout.errors import FormRefused, ProviderError
from fanout.providers.base import ChatRequest
from fanout.providers.form_refusal import provider_error, refuses_form
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.problems import Asked, ErrorInStream, Unfinished
from fanout.providers.schema_keywords import LIMITS, refused_limits, without
from fanout.providers.script import Fault, Reply, Script
from fanout.providers.scripted import Scripted
from fanout.providers.scripted_server import serving
from fanout.providers.server_error import BadStatus
from fanout.structured.asking import Rung, asked, response_format
from fanout.structured.reading import read
from fanout.types import FailureKind
from tests.providers.asking import KEY, TEXT, chat, endpoint, one, told
from tests.structured.forms import VOTE

REFUSALS = [
    (400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this"),
    (400, "Unknown parameter: 'response_format'."),
    (400, "This response_format type is unavailable now"),
    (400, "'messages' must contain the word 'json' in some form, to use 'response_format' of type"),
    (400, "json_schema is not supported"),
    (400, "This model does not support response format `json_schema`. See our docs"),
    (400, "'response_format.type' must be 'json_schema' or 'text'"),
    (400, "response_format value as json_schema is enabled only for api versions 2024-08-01"),
    (400, "Invalid schema for response_format 'vote': In context=(), 'required' is required"),
    (400, "The provided JSON schema contains features not supported by xgrammar."),
    (400, 'Invalid JSON payload received. Unknown name "additionalProperties" at schema'),
    (400, "JSON mode is not supported for this model"),
    (400, "Failed to generate JSON. Please adjust your prompt."),
    (400, 'response_format type must be one of "text" or "json_object", but got: xml'),
    (
        400,
        "Unable to generate parser for this template. Automatic parser generation failed: JSON "
        "schema error at #: unrecognized type wibble",
    ),
    (404, "No endpoints found that can handle the requested parameters."),
    (422, "Structured outputs are not available"),
    (500, "failed to parse grammar"),
    (500, "JSON schema conversion failed"),
    (501, "guided_json is not implemented"),
]

OTHERS = [
    (400, "n must be 1", ""),
    (400, "temperature must be between 0 and 2", ""),
    (400, "This model's maximum context length is 8192 tokens, response_format included", ""),
    (400, "Blocked, as structured outputs are watched.", "content_filter"),
    (401, "Incorrect API key provided for json_schema.", ""),
    (402, "Insufficient credits for structured outputs", ""),
    (404, "The model `big-1` does not exist.", "model_not_found"),
    (429, "Rate limit reached for response_format", ""),
    (500, "Internal Server Error", ""),
    (503, "Loading model", ""),
]


def body(message: str, code: str = "") -> str:
    return json.dumps({"error": {"message": message, "code": code or None}})


def vote(prompt: str = "Judge.", rung: Rung = Rung.JSON_SCHEMA, **fields: object) -> ChatRequest:
    plain = chat(prompt)
    return chat(
        asked(plain.messages, VOTE, rung)[-1].content,
        response_format=response_format(VOTE, rung),
        **fields,
    )


@pytest.mark.parametrize(("status", "message"), REFUSALS)
def test_a_refusal_of_the_form_is_told_from_its_words(status: int, message: str) -> None:
    for text in (body(message), json.dumps({"detail": message}), message):
        assert refuses_form(BadStatus(status=status, body=text))


@pytest.mark.parametrize(("status", "message", "code"), OTHERS)
def test_another_trouble_stays_another_trouble(status: int, message: str, code: str) -> None:
    refusal = BadStatus(status=status, body=body(message, code))
    assert not refuses_form(refusal)
    error = provider_error(refusal, Asked(endpoint="Acme AI", model="big-1", in_form=True))
    assert type(error) is ProviderError


def test_fields_that_fastapi_names_are_understood() -> None:
    detail = [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text'"}]
    assert refuses_form(BadStatus(status=422, body=json.dumps({"detail": detail})))


def test_nobody_refuses_a_form_that_was_not_asked_for() -> None:
    refusal = BadStatus(status=400, body=body("response_format is unknown"))
    assert type(provider_error(refusal, Asked(endpoint="Acme AI"))) is ProviderError
    in_form = Asked(endpoint="Acme AI", in_form=True)
    assert type(provider_error(Unfinished(wrote=True), in_form)) is ProviderError


async def refused(provider: OpenAICompatible | Scripted, request: ChatRequest) -> FormRefused:
    with pytest.raises(FormRefused) as raised:
        async with provider.stream(request) as items:
            async for _ in items:
                pass
    return raised.value


@pytest.mark.parametrize(("status", "message"), REFUSALS)
async def test_over_http_it_is_raised_as_such_and_asked_once(status: int, message: str) -> None:
    with serving(one(Reply(status=status, message=message))) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        failure = (await refused(provider, vote())).failure
        await provider.aclose()
    assert (failure.kind, failure.retryable) == (FailureKind.BAD_RESPONSE, False)
    assert "Acme AI" in failure.message
    assert len(server.requests) == 1


async def test_a_refusal_in_mid_stream_is_one_too() -> None:
    said = "Provider returned an error: response_format is not supported"
    fault = Fault.ERROR_IN_STREAM
    with serving(one(Reply(text=TEXT, fault=fault, code="400", message=said))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        assert "mid-answer" in (await refused(provider, vote())).failure.message
        await provider.aclose()
    error = ErrorInStream(error={"code": 429, "message": said})
    asked_so = Asked(endpoint="Acme AI", in_form=True)
    assert provider_error(error, asked_so).failure.kind is FailureKind.RATE_LIMIT


async def test_a_refused_form_tells_neither_key_nor_prompt() -> None:
    prompt = "My diagnosis is none of your business at all."
    said = f"response_format is refused to {KEY} who said: {prompt}"
    with serving(one(Reply(status=400, message=said))) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        message = (await refused(provider, vote(prompt))).failure.message
        await provider.aclose()
    assert KEY not in message
    assert "diagnosis" not in message


async def test_the_form_is_sent_as_it_is() -> None:
    with serving(one(Reply(text=TEXT))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        await told(provider, vote(extra={"seed": 3}))
        await told(provider, chat())
        await provider.aclose()
    first, second = server.requests
    assert first.body["response_format"] == response_format(VOTE, Rung.JSON_SCHEMA)
    assert first.body["seed"] == 3
    assert "response_format" not in second.body


async def test_a_schema_is_sent_again_without_the_limits_that_a_server_refuses() -> None:
    said = (
        "Invalid schema for response_format 'vote': In context=('properties', 'reason'), "
        "'maxLength' is not permitted."
    )
    with serving(one(Reply(status=400, message=said), Reply(text=TEXT))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        assert (await told(provider, vote()))[0] == TEXT
        await told(provider, vote())
        await provider.aclose()
    forms = [json.dumps(request.body["response_format"]) for request in server.requests]
    assert ["maxLength" in form for form in forms] == [True, False, False]
    assert all('"maximum": 5' in form for form in forms)


async def test_a_server_that_refuses_the_same_limit_again_is_not_asked_for_ever() -> None:
    said = "Invalid schema for response_format: 'maxLength' is not permitted."
    with serving(one(Reply(status=400, message=said))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        await refused(provider, vote())
        await provider.aclose()
    assert len(server.requests) == 2


FORM = response_format(VOTE, Rung.JSON_SCHEMA) or {}


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ("'maxlength' is not permitted", {"maxLength"}),
        ("for 'integer' type, properties maximum, minimum are not supported", None),
        ("unsupported keyword: pattern", set()),
        ("the reason has the wrong maxlength", set()),
        ('unknown name "maxlength"', {"maxLength"}),
    ],
)
def test_only_limits_that_are_refused_and_there_are_left_out(
    words: str, limits: set[str] | None
) -> None:
    expected = {"minimum", "maximum"} if limits is None else limits
    assert refused_limits(words, FORM) == expected


def test_a_property_named_like_a_limit_stays() -> None:
    schema = {
        "properties": {"pattern": {"type": "string", "pattern": "x", "enum": ["pattern"]}},
        "required": ["pattern"],
        "anyOf": [{"pattern": "y", "title": "z"}],
    }
    assert without(schema, frozenset(LIMITS)) == {
        "properties": {"pattern": {"type": "string", "enum": ["pattern"]}},
        "required": ["pattern"],
        "anyOf": [{"title": "z"}],
    }


@pytest.mark.parametrize("kind", [Rung.JSON_SCHEMA, Rung.JSON_OBJECT])
async def test_a_script_may_refuse_a_form_in_this_process_and_over_http(kind: Rung) -> None:
    script = Script(rejects_forms=frozenset({str(kind)}))
    with serving(script) as server:
        outside = OpenAICompatible(endpoint(server.base_url))
        for provider in (outside, Scripted(script, name="Acme AI")):
            assert f"'{kind}'" in (await refused(provider, vote(rung=kind))).failure.message
        await outside.aclose()


async def test_a_script_may_refuse_forms_altogether() -> None:
    script = Script(rejects=frozenset({"response_format", "stream_options"}))
    with serving(script) as server:
        outside = OpenAICompatible(endpoint(server.base_url))
        await refused(outside, vote())
        await outside.aclose()
    await refused(Scripted(script), vote())


async def test_json_mode_without_the_word_is_refused_as_openai_does() -> None:
    mode = {"type": "json_object"}
    with serving(Script()) as server:
        outside = OpenAICompatible(endpoint(server.base_url))
        for provider in (outside, Scripted()):
            failure = (await refused(provider, chat("Judge.", response_format=mode))).failure
            assert "must contain the word" in failure.message
        await outside.aclose()


@pytest.mark.parametrize("rung", [Rung.JSON_SCHEMA, Rung.JSON_OBJECT])
async def test_a_form_is_improvised_alike_in_this_process_and_over_http(rung: Rung) -> None:
    script = Script(otherwise=Reply())
    with serving(script) as server:
        outside = OpenAICompatible(endpoint(server.base_url))
        for temperature in (None, 0.7):
            request = vote(rung=rung, temperature=temperature)
            text, _ = await told(outside, request)
            assert json.loads(text)
            async with Scripted(script).stream(request) as items:
                inside = "".join([getattr(item, "text", "") async for item in items])
            assert inside == text
            assert (read(VOTE, text).value is not None) == (rung is Rung.JSON_SCHEMA)
        await outside.aclose()


async def test_a_scripted_text_stays_what_it_is_whatever_form_was_asked_for() -> None:
    with serving(one(Reply(text="No JSON at all."))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        assert (await told(provider, vote()))[0] == "No JSON at all."
        await provider.aclose()


@given(st.sampled_from(REFUSALS), st.booleans())
def test_a_refusal_never_looks_retryable(row: tuple[int, str], in_stream: bool) -> None:
    status, message = row
    refusal = BadStatus(status=status, body=body(message), in_stream=in_stream)
    error = provider_error(refusal, Asked(endpoint="Acme AI", model="big-1", in_form=True))
    assert isinstance(error, FormRefused)
    assert not error.failure.retryable
    assert error.failure.message.endswith(".")
