"""The scripted endpoint as an ASGI app, and the ledger of what it has seen."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from fanout.providers.batch_script import BatchLedger
from fanout.providers.script import Playback, Script
from fanout.providers.script_cache import PromptCache
from fanout.providers.script_embeddings import tokens_of, vector_of
from fanout.providers.script_wire import (
    BrokenFraming,
    Rejected,
    check,
    check_embeddings,
    check_form,
    played,
    seed_of,
    whole,
)
from fanout.providers.scripted_batches import Batches
from fanout.providers.scripted_replies import Replies

if TYPE_CHECKING:
    from asyncio import Transport  # noqa: TID251 - the type only

_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """One call for an answer."""

    body: Mapping[str, object]
    headers: Mapping[str, str]
    """Lower-case names; `authorization` is among them."""
    at_s: float
    """time.monotonic() when it came in."""

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def prompt(self) -> str:
        """All messages, one after the other."""
        messages = self.body.get("messages")
        said = cast("list[dict[str, object]]", messages) if isinstance(messages, list) else []
        return "\n\n".join(str(message.get("content", "")) for message in said)


@dataclass(slots=True)
class Ledger:
    """What a scripted server has seen; written by its thread, read by any."""

    requests: list[SeenRequest] = field(default_factory=list)
    embeddings: list[SeenRequest] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    disconnects: int = 0
    connections: int = 0
    open: dict[object, Transport] = field(default_factory=dict)
    """The open connections by the client's address."""
    batches: BatchLedger = field(default_factory=BatchLedger)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def answering(self, request: SeenRequest) -> Iterator[None]:
        with self.changed:
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.in_flight -= 1
                self.changed.notify_all()

    def note_disconnect(self) -> None:
        with self.changed:
            self.disconnects += 1
            self.changed.notify_all()

    def hang_up(self, client: object, last_words: bytes = b"") -> None:
        """Close the client's connection in mid-answer, perhaps after bytes that are no HTTP."""
        transport = self.open.get(client)
        if transport is not None:
            transport.write(last_words)
            transport.close()

    def reset(self, client: object) -> None:
        """Cut the client's connection hard, as a crashed server's machine would."""
        transport = self.open.get(client)
        if transport is not None:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()


def tracked_protocol(ledger: Ledger) -> type[H11Protocol]:
    """The HTTP protocol of uvicorn, telling the ledger which connections are open."""

    class Tracked(H11Protocol):
        def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            ledger.connections += 1
            ledger.open[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            with ledger.changed:
                ledger.open.pop(self.client, None)
                ledger.changed.notify_all()
            super().connection_lost(exc)

    return Tracked


def scripted_app(script: Script, ledger: Ledger) -> ASGIApp:
    """`/v1/models`, `/v1/chat/completions`, `/v1/embeddings`, `/v1/files` and `/v1/batches` over a
    script.

    Anything else is a 404 in JSON.
    """

    async def models(request: Request) -> Response:
        try:
            check(script, {}, request.headers.get("authorization", ""))
        except Rejected as problem:
            return _response(problem)
        entries = [{"id": name, "object": "model", "owned_by": "script"} for name in script.models]
        return JSONResponse({"object": "list", "data": entries})

    async def embeddings(request: Request) -> Response:
        try:
            body = await request.json()
            texts = [str(text) for text in body["input"]]
            ledger.embeddings.append(
                SeenRequest(body=body, headers=dict(request.headers), at_s=time.monotonic())
            )
            check(script, body, request.headers.get("authorization", ""))
            check_embeddings(script)
        except Rejected as problem:
            return _response(problem)
        except (ValueError, LookupError, TypeError):
            error = {"message": "The body has no list of inputs.", "code": "invalid_request_error"}
            return JSONResponse({"error": error}, status_code=400)
        data = [
            {"object": "embedding", "index": place, "embedding": list(vector_of(text))}
            for place, text in enumerate(texts)
        ]
        read = tokens_of(texts)
        usage = {"prompt_tokens": read, "total_tokens": read}
        return JSONResponse(
            {"object": "list", "model": body.get("model"), "data": data, "usage": usage}
        )

    async def lost(request: Request, problem: Exception) -> Response:
        said = f"Invalid URL ({request.method} {request.url.path})"
        return JSONResponse({"error": {"message": said, "code": None}}, status_code=404)

    replies = Replies(script)
    return Starlette(
        routes=[
            *Batches(replies, ledger.batches).routes(),
            Route("/v1/models", models),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route(
                "/v1/chat/completions",
                _Completions(script, ledger, replies.playback),
                methods=["POST"],
            ),
        ],
        exception_handlers={404: lost},
    )


class _Completions:
    """One ASGI endpoint: a class, so that Starlette hands it the bare send."""

    def __init__(self, script: Script, ledger: Ledger, playback: Playback) -> None:
        self._script = script
        self._playback = playback
        self._cache = PromptCache(script.caches_from)
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            error = {"message": "The body is not a JSON object.", "code": "invalid_request_error"}
            await JSONResponse({"error": error}, status_code=400)(scope, receive, send)
            return
        seen = SeenRequest(body=body, headers=dict(request.headers), at_s=time.monotonic())
        with self._ledger.answering(seen):
            try:
                await self._answer(seen, scope, receive, send)
            except Rejected as problem:
                await _response(problem)(scope, receive, send)
            except BrokenFraming:
                self._ledger.hang_up(scope["client"], b"this is no length of a chunk\r\n")
            except ConnectionAbortedError:
                self._ledger.hang_up(scope["client"])
            except ConnectionError:
                self._ledger.reset(scope["client"])

    async def _answer(self, seen: SeenRequest, scope: Scope, receive: Receive, send: Send) -> None:
        check(self._script, seen.body, seen.headers.get("authorization", ""))
        form = seen.body.get("response_format")
        check_form(self._script, form, seen.prompt)
        reply = self._playback.next_reply(
            model=seen.model,
            prompt=seen.prompt,
            response_format=form if isinstance(form, dict) else None,
            seed=seed_of(seen.body.get("temperature"), seen.body),
        )
        if not seen.body.get("stream") and reply.status == 200 and not reply.fault:
            data = whole(reply, model=seen.model, prompt=seen.prompt)
            await Response(data, media_type="application/json")(scope, receive, send)
            return
        options = seen.body.get("stream_options")
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        asked = {"model": seen.model, "prompt": seen.prompt}
        reply = self._cache.reply(reply, **asked)
        writes = self._cache.kept(played(reply, **asked, with_usage=with_usage), **asked)
        problem: Exception | None = None
        async with anyio.create_task_group() as group:
            watch = _Watch(receive, self._ledger, group.cancel_scope)
            group.start_soon(watch.run)
            try:
                async with aclosing(writes):
                    async for data in writes:
                        await watch.begin(send, data, reply.headers)
                        await send(_part(data, more=True))
                watch.complete = True
                await send(_part(b"", more=False))
            except (Rejected, ConnectionError) as raised:
                problem = raised
                watch.complete = True
            group.cancel_scope.cancel()
        if problem is not None:
            raise problem


class _Watch:
    """Ends an answer when its client has gone."""

    def __init__(self, receive: Receive, ledger: Ledger, scope: anyio.CancelScope) -> None:
        self._receive = receive
        self._ledger = ledger
        self._scope = scope
        self._begun = False
        self.complete = False

    async def run(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.complete:
            self._ledger.note_disconnect()
            self._scope.cancel()

    async def begin(self, send: Send, first: bytes, more: Mapping[str, str]) -> None:
        """Send the headers before the first write: until then a reply may still be rejected."""
        if not self._begun:
            self._begun = True
            kind = "application/json" if first.startswith(b"{") else "text/event-stream"
            named = {"content-type": kind, "cache-control": "no-cache"}
            named |= {name.lower(): value for name, value in more.items()}
            headers = [(name.encode(), value.encode()) for name, value in named.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})


def _part(data: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _response(problem: Rejected) -> Response:
    answer = problem.answer
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
