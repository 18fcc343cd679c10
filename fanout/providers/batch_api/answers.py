"""Lines of a batch's files: what is asked in them, and what came of each request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import jiter

from fanout.providers.server_error import said_in, status_of
from fanout.providers.sse import MAX_EVENT_BYTES
from fanout.types import Failure, FailureKind

PATH = "/v1/chat/completions"
EXPIRED = "batch_expired"
CANCELLED = "batch_cancelled"


class CutOff(OSError):
    """The file ended in the middle of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """What came of one request: a response, or why there is none."""

    status: int = 0
    body: str = ""
    """The response's JSON, with `status`."""
    failure: Failure | None = None
    """Where the provider gave no response at all."""
    shape: str = ""
    """The form in which it was asked, as `Parked.shape` tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    key: str
    answer: BatchAnswer
    code: str = ""
    """Why the provider left it unanswered, in its own word."""


def input_line(key: str, body: str) -> bytes:
    """A line of the file that is handed over; `body` is the request's JSON."""
    head = json.dumps({"custom_id": key, "method": "POST", "url": PATH})
    return f'{head[:-1]}, "body": {body}}}\n'.encode()


def packed(answer: BatchAnswer) -> str:
    """As it is kept until its run is recorded; ASCII."""
    if answer.failure is None:
        return json.dumps({"status": answer.status, "body": answer.body})
    failure = answer.failure
    return json.dumps(
        {"kind": failure.kind, "message": failure.message, "retryable": failure.retryable}
    )


def unpacked(text: str, shape: str = "") -> BatchAnswer:
    fields = json.loads(text)
    if "kind" not in fields:
        return BatchAnswer(status=fields["status"], body=fields["body"], shape=shape)
    kind = FailureKind(fields["kind"])
    failure = Failure(kind=kind, message=fields["message"], retryable=fields["retryable"])
    return BatchAnswer(failure=failure, shape=shape)


async def lines_of(data: AsyncIterator[bytes]) -> AsyncIterator[Line]:
    """The lines of an output or error file as they come; what is no line of one is left out.

    Raises CutOff where the file ends within a line.
    """
    rest = b""
    async for part in data:
        *whole, rest = (rest + part).split(b"\n")
        for text in whole:
            if (line := output_line(text)) is not None:
                yield line
        if len(rest) > MAX_EVENT_BYTES:
            raise CutOff("a line without end")
    if rest.strip():
        last = output_line(rest)
        if last is None:
            raise CutOff("a part of a line")
        yield last


def output_line(text: bytes) -> Line | None:
    """One line of an output or error file; None for what is none."""
    try:
        value: object = jiter.from_json(text)
    except ValueError:
        value = _with_halves(text)
    if not isinstance(value, dict) or not isinstance(value.get("custom_id"), str):
        return None
    fields = cast("dict[str, object]", value)
    key, response = str(fields["custom_id"]), fields.get("response")
    if isinstance(response, dict) and isinstance(response.get("status_code"), int):
        body = json.dumps(response.get("body"))
        return Line(key=key, answer=BatchAnswer(status=response["status_code"], body=body))
    error = fields.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    said = json.dumps({"error": error})
    answer = BatchAnswer(status=status_of(said_in(said)), body=said)
    return Line(key=key, answer=answer, code=str(code or "unknown"))


def _with_halves(text: bytes) -> object:
    """The same where half a character was sent on its own, which jiter takes for no JSON."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value
