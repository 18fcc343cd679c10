"""A scripted reply as the bytes of OpenAI's protocol, encoded once and played at its pace."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache

import anyio
import anyio.lowlevel

from fanout.providers.script import Fault, Reply, Script, pieces_of
from fanout.providers.server_error import BadStatus

HTML = b"<!doctype html><html><head><title>Welcome</title></head><body>It works!</body></html>"
DONE = b"data: [DONE]\n\n"

_JSON = "application/json"
_HEAD = {"id": "chatcmpl-scripted", "created": 0, "system_fingerprint": "fp_scripted"}
_MESSAGES = {
    401: ("invalid_api_key", "Incorrect API key provided."),
    402: ("insufficient_quota", "You have run out of credits."),
    403: ("permission_denied", "This key may not use this."),
    404: ("model_not_found", "The model does not exist."),
    429: ("rate_limit_exceeded", "Rate limit reached."),
}


class BrokenFraming(ConnectionError):
    """The connection goes on with bytes that are no HTTP."""


class Rejected(Exception):
    """The scripted endpoint answers with a status instead of a stream."""

    def __init__(self, answer: BadStatus) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def check(script: Script, body: Mapping[str, object], authorization: str) -> None:
    """Raise Rejected for what the script as a whole does not take."""
    if script.key and authorization != f"Bearer {script.key}":
        said = f"Incorrect API key provided: {authorization.removeprefix('Bearer ')}."
        raise Rejected(_error(401, "invalid_api_key", said))
    for name in sorted(script.rejects & body.keys()):
        hint = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
        said = f"Unsupported parameter: '{name}' is not supported with this model.{hint}"
        raise Rejected(_error(400, "unsupported_parameter", said))


def check_form(script: Script, asked: object, prompt: str) -> None:
    """Raise Rejected for a response_format that the script does not take, as OpenAI would."""
    kind = asked.get("type") if isinstance(asked, Mapping) else None
    if kind in script.rejects_forms:
        said = (
            f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this "
            "model."
        )
        raise Rejected(_error(400, "invalid_request_error", said))
    if kind == "json_object" and "json" not in prompt.lower():
        said = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'."
        )
        raise Rejected(_error(400, "invalid_request_error", said))


def check_embeddings(script: Script) -> None:
    """Raise Rejected where the script has no embeddings, as llama.cpp would."""
    if not script.embeddings:
        raise Rejected(
            _error(501, "not_supported_error", "This server does not support embeddings.")
        )


def seed_of(temperature: object, fields: Mapping[str, object]) -> str:
    """What lets two answers to one prompt differ: how a request asks for chance."""
    return f"{temperature} {fields.get('seed')}"


async def played(
    reply: Reply, *, model: str, prompt: str, with_usage: bool
) -> AsyncGenerator[bytes]:
    """The bytes of a streamed answer as they fall due: one item is one write.

    Raises Rejected before anything else for replies that are no stream, and ConnectionError where
    the script breaks the connection.
    """
    if reply.fault is Fault.STALL_FIRST:
        await anyio.sleep_forever()
    if reply.first_token_s:
        await anyio.sleep(reply.first_token_s)
    refused(reply)
    if reply.fault is Fault.NOT_A_STREAM:
        yield whole(reply, model=model, prompt=prompt)
        return
    if reply.fault is Fault.OUT_OF_ORDER:
        yield _out_of_order(reply, model, prompt)
        return
    yield _event(model, {"role": "assistant", "content": ""})
    async for data in _paced(_thoughts(reply, model), reply):
        yield data
    async for data in _paced(_text_events(reply, model), reply):
        yield data
    async for data in _ending(reply, model=model, prompt=prompt, with_usage=with_usage):
        yield data


def whole(reply: Reply, *, model: str, prompt: str) -> bytes:
    """The answer as one JSON completion."""
    wordless = reply.fault in (Fault.EMPTY, Fault.ALL_REASONING, Fault.REFUSAL)
    text = "" if wordless else reply.text or ""
    declined = reply.message or "I can't help with that."
    refusal = declined if reply.fault is Fault.REFUSAL else None
    message: dict[str, object] = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    answer: dict[str, object] = {**_HEAD, "object": "chat.completion", "model": model}
    answer["choices"] = [choice]
    if reply.fault is not Fault.NO_USAGE:
        answer["usage"] = _usage(reply, prompt)
    return json.dumps(answer).encode()


def refused(reply: Reply) -> None:
    """Raise Rejected or ConnectionError for replies that are no answer."""
    if reply.status != 200:
        code, message = _MESSAGES.get(reply.status, ("server_error", "The server had an error."))
        answer = _error(reply.status, reply.code or code, reply.message or message)
        if reply.fault is Fault.HTML_PAGE:
            page = {"content-type": "text/html"}
            answer = BadStatus(status=reply.status, headers=page, body=HTML.decode())
        headers = {"retry-after": reply.retry_after} if reply.retry_after else {}
        headers |= reply.headers
        raise Rejected(
            BadStatus(status=answer.status, headers={**answer.headers, **headers}, body=answer.body)
        )
    match reply.fault:
        case Fault.HTML_PAGE:
            page = {"content-type": "text/html"}
            raise Rejected(BadStatus(status=200, headers=page, body=HTML.decode()))
        case Fault.REDIRECT:
            elsewhere = {"location": "/elsewhere"}
            raise Rejected(BadStatus(status=307, headers=elsewhere))
        case Fault.REFUSED_CONNECTION:
            raise ConnectionRefusedError
        case Fault.RESET:
            raise ConnectionResetError
        case _:
            return


def _error(status: int, code: str, message: str) -> BadStatus:
    error = {"message": message, "type": code, "param": None, "code": code}
    body = json.dumps({"error": error})
    return BadStatus(status=status, headers={"content-type": _JSON}, body=body)


def _thoughts(reply: Reply, model: str) -> tuple[bytes, ...]:
    pieces = pieces_of(reply.reasoning)
    return tuple(_event(model, {"reasoning_content": piece}) for piece in pieces)


@lru_cache(maxsize=512)
def _encoded(text: str, model: str, chars: int) -> tuple[bytes, ...]:
    return tuple(_event(model, {"content": piece}) for piece in pieces_of(text, chars))


_CUT_SHORT = frozenset(
    {
        Fault.DROPPED,
        Fault.CUT_OFF,
        Fault.BAD_CHUNK,
        Fault.NO_FINISH,
        Fault.BAD_JSON,
        Fault.ERROR_IN_STREAM,
        Fault.STALL_MIDWAY,
        Fault.CONTENT_FILTER,
    }
)
_WORDLESS = frozenset({Fault.EMPTY, Fault.REFUSAL, Fault.ALL_REASONING})


def _text_events(reply: Reply, model: str) -> tuple[bytes, ...]:
    if reply.fault in _WORDLESS:
        return ()
    events = _encoded(reply.text or "", model, reply.piece_chars)
    if reply.fault is Fault.DUPLICATED:
        return tuple(event + event for event in events)
    return events[: reply.fault_after] if reply.fault in _CUT_SHORT else events


def _out_of_order(reply: Reply, model: str, prompt: str) -> bytes:
    *earlier, last = _encoded(reply.text or "", model, reply.piece_chars)
    end = _event(model, {}, finish_reason=_finish_reason(reply))
    role = _event(model, {"role": "assistant", "content": ""})
    return b"".join((_usage_event(reply, model, prompt), *earlier, end, last, role, DONE))


async def _paced(events: tuple[bytes, ...], reply: Reply) -> AsyncGenerator[bytes]:
    began_s = anyio.current_time()
    step = max(1, reply.pieces_per_write)
    for first in range(0, len(events), step):
        if reply.tokens_per_s:
            await anyio.sleep_until(began_s + first / reply.tokens_per_s)
        else:
            await anyio.lowlevel.checkpoint()
        yield events[first] if step == 1 else b"".join(events[first : first + step])


async def _ending(
    reply: Reply, *, model: str, prompt: str, with_usage: bool
) -> AsyncGenerator[bytes]:
    match reply.fault:
        case Fault.DROPPED:
            raise ConnectionResetError
        case Fault.CUT_OFF:
            raise ConnectionAbortedError
        case Fault.BAD_CHUNK:
            raise BrokenFraming
        case Fault.STALL_MIDWAY:
            await anyio.sleep_forever()
        case Fault.BAD_JSON:
            yield b'data: {"choices": [{"delta": {"cont\n\n'
            return
        case Fault.ERROR_IN_STREAM:
            error = {"code": reply.code or "server_error", "message": reply.message or "Crashed."}
            yield b"data: " + json.dumps({"error": error}).encode() + b"\n\n"
            return
        case Fault.NO_FINISH:
            yield DONE
            return
        case Fault.REFUSAL:
            yield _event(model, {"refusal": reply.message or "I can't help with that."})
        case Fault.ALL_REASONING:
            yield _event(model, {"reasoning_content": "Thinking and thinking."})
        case _:
            pass
    end = _event(model, {}, finish_reason=_finish_reason(reply))
    if with_usage and reply.fault is not Fault.NO_USAGE:
        end += _usage_event(reply, model, prompt)
    if reply.fault is Fault.DUPLICATED:
        end += end + DONE
    yield end + DONE


def _usage_event(reply: Reply, model: str, prompt: str) -> bytes:
    usage = {**_HEAD, "object": "chat.completion.chunk", "model": model, "choices": []}
    return b"data: " + json.dumps({**usage, "usage": _usage(reply, prompt)}).encode() + b"\n\n"


def _finish_reason(reply: Reply) -> str:
    match reply.fault:
        case Fault.LENGTH | Fault.ALL_REASONING:
            return "length"
        case Fault.CONTENT_FILTER:
            return "content_filter"
        case _:
            return "stop"


def _usage(reply: Reply, prompt: str) -> dict[str, object]:
    read, written = len(pieces_of(prompt)), len(pieces_of(reply.text or "", reply.piece_chars))
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
    }


def _event(model: str, delta: Mapping[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    chunk: dict[str, object] = {**_HEAD, "object": "chat.completion.chunk", "model": model}
    chunk["choices"] = [choice]
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"
