"""Texts turned into vectors by an endpoint: asked for in batches, and taken only when complete."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import cast

import anyio
import httpx2
import jiter
import openai

from fanout.errors import ProviderError
from fanout.providers.base import Embedded
from fanout.providers.failures import failure_of
from fanout.providers.problems import Asked, WebPage
from fanout.providers.server_error import BadStatus, said_in
from fanout.providers.usage import usage_of
from fanout.types import Failure, FailureKind, Usage

BATCH = 128
"""Texts per request: no server that was looked at takes fewer."""
BATCH_S = 60.0
"""How long one request may take."""

_NOT_OFFERED = (404, 405, 501)


async def embedded(
    client: openai.AsyncOpenAI, model: str, texts: Sequence[str], asked: Asked
) -> Embedded:
    """All texts, one batch after the other. Raises ProviderError, and what the client raises."""
    vectors: list[array[float]] = []
    usage: Usage | None = Usage()
    for first in range(0, len(texts), BATCH):
        batch = texts[first : first + BATCH]
        content = await _answer(client, model, batch, asked)
        try:
            new, reported = read_vectors(content, len(batch))
            _check_sizes([*vectors[:1], *new])
        except ValueError as problem:
            raise ProviderError(_unusable(str(problem), asked)) from None
        vectors += new
        usage = usage + reported if usage is not None and reported is not None else None
    return Embedded(vectors=tuple(vectors), usage=usage)


async def _answer(
    client: openai.AsyncOpenAI, model: str, texts: Sequence[str], asked: Asked
) -> bytes:
    body = {"model": model, "input": list(texts), "encoding_format": "float"}
    try:
        with anyio.fail_after(BATCH_S):
            response = await client.post("/embeddings", cast_to=httpx2.Response, body=body)
    except TimeoutError:
        raise ProviderError(failure_of(httpx2.ReadTimeout("embeddings"), asked)) from None
    if "html" in response.headers.get("content-type", ""):
        raise ProviderError(failure_of(WebPage(), asked))
    return response.content


def read_vectors(content: bytes, count: int) -> tuple[tuple[array[float], ...], Usage | None]:
    """The vectors of `count` texts in the texts' order; ValueError says what came instead."""
    try:
        page: object = jiter.from_json(content)
    except ValueError:
        raise ValueError("an answer that is no JSON") from None
    fields = cast("dict[str, object]", page) if isinstance(page, dict) else {}
    entries = fields.get("data")
    if not isinstance(entries, list):
        raise ValueError("JSON without embeddings")
    if len(entries) != count:
        raise ValueError(f"{len(entries)} embeddings")
    vectors: dict[int, array[float]] = {}
    for place, entry in enumerate(entries):
        each = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
        index = each.get("index", place)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
            raise ValueError("embeddings of unknown texts")
        vectors[index] = _vector(each.get("embedding"))
    if len(vectors) != count:
        raise ValueError("two embeddings of one text")
    return tuple(vectors[index] for index in range(count)), usage_of(fields.get("usage"))


def _vector(numbers: object) -> array[float]:
    if not isinstance(numbers, list) or not numbers:
        raise ValueError("an embedding without numbers")
    try:
        vector = array("f", cast("list[float]", numbers))
    except (TypeError, OverflowError):
        raise ValueError("an embedding with something else than numbers in it") from None
    if not all(map(math.isfinite, vector)):
        raise ValueError("an embedding with numbers that are none")
    return vector


def _check_sizes(vectors: Sequence[array[float]]) -> None:
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("embeddings of different sizes")


def not_offered(refusal: BadStatus, asked: Asked) -> Failure | None:
    """The failure of an endpoint that has no embeddings; None where the trouble is another."""
    said = said_in(refusal.body)
    if said.is_unknown_model(refusal.status):
        return None
    if refusal.status not in _NOT_OFFERED and "support embedding" not in said.words:
        return None
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"{asked.endpoint} offers no embeddings for {asked.model!r} ({refusal.place}). "
        "Choose another embedding model or endpoint on the Models page, or leave it empty.",
    )


def _unusable(what: str, asked: Asked) -> Failure:
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"{asked.endpoint} sent {what} where embeddings by {asked.model!r} were asked for. "
        "Check the embedding model on the Models page, or try again.",
    )
