"""An endpoint that takes so many calls in any minute and no more, and counts what it answered.

    python benchmarks/limited_endpoint.py PORT CALLS_PER_MINUTE SECONDS_PER_ANSWER

More calls get a 429 that says when to come again. Every answer repeats the prompt's last word, so
that results can be checked. GET /stats tells how many answers were complete, how many prompts were
answered more than once (paid twice), and how many calls were refused.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncIterator

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

MINUTE_S = 60.0
WORDS = 12


def event(delta: dict[str, str], finish: str | None = None, usage: dict | None = None) -> str:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if usage is None else []
    chunk: dict[str, object] = {"id": "c", "object": "chat.completion.chunk", "choices": choices}
    if usage is not None:
        chunk["usage"] = usage
    return f"data: {json.dumps(chunk)}\n\n"


class Limited:
    def __init__(self, per_minute: int, answer_s: float) -> None:
        self._per_minute = per_minute
        self._answer_s = answer_s
        self._taken: deque[float] = deque()
        self.answered: Counter[str] = Counter()
        self.refused = 0
        self.began = 0.0
        self.ended = 0.0

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        now = time.monotonic()
        self.began = self.began or now
        while self._taken and self._taken[0] <= now - MINUTE_S:
            self._taken.popleft()
        left = self._per_minute - len(self._taken)
        headers = {"x-ratelimit-limit-requests": str(self._per_minute)}
        if left <= 0:
            self.refused += 1
            wait = self._taken[0] + MINUTE_S - now
            return JSONResponse(
                {"error": {"message": "Too many requests.", "type": "rate_limit"}},
                status_code=429,
                headers={**headers, "retry-after-ms": str(int(wait * 1000) + 1)},
            )
        self._taken.append(now)
        headers["x-ratelimit-remaining-requests"] = str(left - 1)
        prompt = body["messages"][-1]["content"]
        return StreamingResponse(
            self._written(prompt), media_type="text/event-stream", headers=headers
        )

    async def _written(self, prompt: str) -> AsyncIterator[str]:
        last = prompt.split()[-1]
        for number in range(WORDS):
            await anyio.sleep(self._answer_s / WORDS)
            yield event({"content": f"{last if number == 0 else 'word'} "})
        yield event({}, "stop")
        usage = {"prompt_tokens": 20, "completion_tokens": WORDS, "total_tokens": 20 + WORDS}
        yield event({}, usage=usage)
        yield "data: [DONE]\n\n"
        self.answered[prompt] += 1
        self.ended = time.monotonic()

    async def stats(self, _request: Request) -> JSONResponse:
        counts = self.answered.values()
        return JSONResponse(
            {
                "answers": sum(counts),
                "prompts": len(counts),
                "twice": sum(count - 1 for count in counts),
                "refused": self.refused,
                "span_s": self.ended - self.began,
            }
        )


async def models(_request: Request) -> JSONResponse:
    return JSONResponse({"object": "list", "data": [{"id": "limited", "object": "model"}]})


if __name__ == "__main__":
    endpoint = Limited(int(sys.argv[2]), float(sys.argv[3]))
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", endpoint.complete, methods=["POST"]),
            Route("/v1/models", models),
            Route("/stats", endpoint.stats),
        ]
    )
    uvicorn.run(app, port=int(sys.argv[1]), log_level="critical", access_log=False)
