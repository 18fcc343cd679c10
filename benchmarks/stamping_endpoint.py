"""An endpoint whose every word is the time at which it was written, in milliseconds since 1970.

    python benchmarks/stamping_endpoint.py PORT TOKENS_PER_S

So whoever shows a word knows how old it is, whatever lay between. An answer is as long as the
call's max_tokens says, and without one as a minute or two of writing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

LONGEST_S = 120
PARAGRAPH = 60
"""Words after which a new paragraph begins, as in a model's answer."""


def event(delta: dict[str, str], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n"


async def words(tokens_per_s: float, most: int) -> AsyncIterator[str]:
    began = anyio.current_time()
    for number in range(most):
        await anyio.sleep_until(began + number / tokens_per_s)
        gap = " " if (number + 1) % PARAGRAPH else "\n\n"
        yield event({"content": f"{time.time() * 1000:.0f}{gap}"})
    yield event({}, "stop")
    yield "data: [DONE]\n\n"


def endpoint(tokens_per_s: float) -> Starlette:
    async def complete(request: Request) -> StreamingResponse:
        most = (await request.json()).get("max_tokens") or int(LONGEST_S * tokens_per_s)
        return StreamingResponse(words(tokens_per_s, most), media_type="text/event-stream")

    async def models(_request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [{"id": "stamping", "object": "model"}]})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        endpoint(float(sys.argv[2])), port=int(sys.argv[1]), log_level="critical", access_log=False
    )
