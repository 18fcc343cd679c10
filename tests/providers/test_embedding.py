"""Embeddings: complete, in the order of the texts, from a real server; or a failure in words."""

from __future__ import annotations

import json
import math
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.endpoint import Secret
from fanout.errors import ProviderError
from fanout.providers.embedding import BATCH, read_vectors
from fanout.providers.local.provider import LocalProvider
from fanout.providers.local.server import LocalServer
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Script
from fanout.providers.script_embeddings import SIZE, vector_of
from fanout.providers.scripted import Scripted
from fanout.providers.scripted_server import serving
from fanout.types import FailureKind, Usage
from tests.providers.asking import KEY, endpoint

TEXTS = ("Parrots repeat words.", "Größe — 🦜", "")


def nearness(one: array[float], other: array[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_a_server_embeds_texts_in_their_order() -> None:
    with serving(Script()) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        got = await provider.embed("embed-1", TEXTS)
        nothing = await provider.embed("embed-1", ())
        await provider.aclose()
    assert got.vectors == tuple(vector_of(text) for text in TEXTS)
    assert got.usage == Usage(input=4)
    assert nothing.vectors == ()
    (request,) = server.embeddings
    assert request.body == {
        "model": "embed-1",
        "input": list(TEXTS),
        "encoding_format": "float",
    }
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert server.requests == ()


async def test_many_texts_are_sent_in_batches_and_come_back_as_one() -> None:
    texts = [f"passage number {n}" for n in range(2 * BATCH + 1)]
    with serving(Script()) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        got = await provider.embed("embed-1", texts)
        await provider.aclose()
    sizes = [len(request.body["input"]) for request in server.embeddings]  # type: ignore[arg-type]
    assert sizes == [BATCH, BATCH, 1]
    assert got.vectors == tuple(vector_of(text) for text in texts)
    assert got.usage == Usage(input=3 * len(texts))


async def test_this_process_embeds_as_the_server_does() -> None:
    provider = Scripted()
    got = await provider.embed("any", TEXTS)
    assert got.vectors == tuple(vector_of(text) for text in TEXTS)
    assert got.usage == Usage(input=4)
    assert provider.embedded == [TEXTS]


async def test_a_server_without_embeddings_says_what_to_do() -> None:
    script = Script(embeddings=False)
    with serving(script) as server:
        outside = OpenAICompatible(endpoint(server.base_url))
        lost = OpenAICompatible(endpoint(server.base_url.removesuffix("/v1")))
        for provider in (outside, lost, Scripted(script, name="Acme AI")):
            with pytest.raises(ProviderError, match="Acme AI offers no embeddings") as raised:
                await provider.embed("embed-1", ["text"])
            assert raised.value.failure.kind is FailureKind.BAD_RESPONSE
            assert not raised.value.failure.retryable
        await outside.aclose()
        await lost.aclose()


async def test_a_wrong_key_or_nobody_there_are_the_usual_failures() -> None:
    with serving(Script(key="sk-right")) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        with pytest.raises(ProviderError) as raised:
            await provider.embed("embed-1", ["text"])
        await provider.aclose()
    assert raised.value.failure.kind is FailureKind.AUTH
    assert KEY not in raised.value.failure.message
    gone = OpenAICompatible(endpoint(server.base_url))
    with pytest.raises(ProviderError) as raised:
        await gone.embed("embed-1", ["text"])
    assert raised.value.failure.kind is FailureKind.CONNECTION
    await gone.aclose()


async def test_the_model_on_this_machine_offers_none(tmp_path: Path) -> None:
    provider = LocalProvider(LocalServer(tmp_path))
    with pytest.raises(ProviderError, match=r"has no embeddings\. Add an endpoint") as raised:
        await provider.embed("any", ["text"])
    assert not raised.value.failure.retryable
    assert provider.server.pid is None, "no model was started for it"
    await provider.aclose()


def page(*entries: object, **fields: object) -> bytes:
    return json.dumps({"data": entries, **fields}).encode()


def entry(index: int, *numbers: object) -> dict[str, object]:
    return {"index": index, "embedding": list(numbers)}


def test_the_order_follows_the_index_and_not_the_place() -> None:
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    content = page(entry(1, 2.0, 3.0), entry(0, 0.0, 1.0), usage=usage)
    vectors, reported = read_vectors(content, 2)
    assert [list(vector) for vector in vectors] == [[0.0, 1.0], [2.0, 3.0]]
    assert reported == Usage(input=7)
    without = page({"embedding": [1]}, {"embedding": [2]})
    assert [list(vector) for vector in read_vectors(without, 2)[0]] == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "no JSON", id="nothing"),
        pytest.param(b"<html>", "no JSON", id="a page"),
        pytest.param(b"[]", "without embeddings", id="a list"),
        pytest.param(b'{"data": {}}', "without embeddings", id="no list"),
        pytest.param(page(), "0 embeddings", id="too few"),
        pytest.param(page(*[entry(n, 1) for n in range(3)]), "3 embeddings", id="too many"),
        pytest.param(page(entry(0, 1), entry(0, 1)), "two embeddings of one", id="one twice"),
        pytest.param(page(entry(0, 1), entry(2, 1)), "unknown texts", id="beyond the last"),
        pytest.param(page(entry(-1, 1), entry(0, 1)), "unknown texts", id="before the first"),
        pytest.param(page(entry(0, 1), 5), "without numbers", id="no entry"),
        pytest.param(page(entry(0), entry(1)), "without numbers", id="empty"),
        pytest.param(page(entry(0, 1), {"index": 1, "embedding": "AAA="}), "without", id="base64"),
        pytest.param(page(entry(0, 1), entry(1, "1")), "something else", id="texts"),
        pytest.param(page(entry(0, 1), entry(1, None)), "something else", id="null"),
        pytest.param(page(entry(0, 1), entry(1, math.nan)), "that are none", id="NaN"),
        pytest.param(page(entry(0, 1), entry(1, 1e300)), "that are none", id="too large"),
    ],
)
def test_an_incomplete_answer_is_none(content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_vectors(content, 2)


@given(st.binary(max_size=200) | st.recursive(st.none(), st.lists).map(json.dumps).map(str.encode))
def test_any_bytes_are_either_vectors_or_no_vectors(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_vectors(content, 2)


def test_similar_texts_lie_near() -> None:
    parrots = vector_of("Parrots repeat the words of people.")
    same = vector_of("people repeat THE words of parrots")
    other = vector_of("Quarterly revenue grew by four percent.")
    assert nearness(parrots, same) == pytest.approx(1.0)
    assert nearness(parrots, other) < 0.5


@given(st.text(max_size=200))
def test_every_text_has_a_vector_of_length_one(text: str) -> None:
    vector = vector_of(text)
    assert len(vector) == SIZE
    assert nearness(vector, vector) == pytest.approx(1.0, abs=1e-5)
