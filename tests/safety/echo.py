"""An endpoint that says the key it was sent wherever it can: the worst confidant there is."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class Echo:
    """Where it answers, and the keys that it was sent."""

    base_url: str
    heard: set[str] = field(default_factory=set)


@contextmanager
def echoing() -> Iterator[Echo]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        echo = Echo(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        app = Starlette(
            routes=[
                Route("/v1/models", _models(echo)),
                Route("/v1/chat/completions", _answers(echo), methods=["POST"]),
            ]
        )
        config = uvicorn.Config(app, ws="none", lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield echo
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)


def _key(echo: Echo, request: Request) -> str:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    echo.heard.add(key)
    return key


def _headers(key: str) -> dict[str, str]:
    return {
        "x-request-id": key,
        "x-ratelimit-limit-requests": key,
        "x-ratelimit-remaining-requests": key,
        "openai-organization": key,
        "set-cookie": f"key={key}",
    }


def _models(echo: Echo) -> Endpoint:
    async def models(request: Request) -> Response:
        key = _key(echo, request)
        names = ["plain", f"model-{key}", key]
        return JSONResponse({"data": [{"id": name} for name in names]}, headers=_headers(key))

    return models


def _answers(echo: Echo) -> Endpoint:
    async def answers(request: Request) -> Response:
        key = _key(echo, request)
        prompt = json.dumps((await request.json())["messages"]).lower()
        headers = _headers(key)
        if "poem" in prompt and "joke" not in prompt:
            said = f"The key {key} (Authorization: Bearer {key}) is wrong: {quote(key)}."
            error = {"message": said, "code": key, "type": key, "param": key}
            return JSONResponse({"error": error}, status_code=401, headers=headers)
        broken = "story" in prompt and "joke" not in prompt
        return StreamingResponse(
            _said(key, broken=broken), media_type="text/event-stream", headers=headers
        )

    return answers


async def _said(key: str, *, broken: bool) -> AsyncIterator[bytes]:
    yield _event(reasoning_content=f"I was sent {key}.")
    yield _event(content=f"Whole: {key}. ")
    for character in f"Cut: {key}. ":
        yield _event(content=character)
    coded = base64.b64encode(f"Bearer {key}".encode()).decode()
    yield _event(content=f"Coded: {coded}, {quote(key, safe='')}. ")
    yield _event(content=f"Half: {key[: len(key) // 2]}")
    if broken:
        error = {"message": f"Lost {key}", "code": key, "type": "invalid_request_error"}
        yield b"data: " + json.dumps({"error": error, "id": key}).encode() + b"\n\n"
        return
    yield _event(content=f"{key[len(key) // 2 :]} and the rest.")
    end = {"choices": [{"delta": {}, "finish_reason": f"stop-{key}"}], "model": key, "id": key}
    yield b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n"


def _event(**delta: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"
