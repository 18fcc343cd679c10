"""The board's socket: who may watch a run, what they are sent, what they may ask for.

A run's id can't be guessed and is the permission to see it, as with any permalink. Other web pages
are kept out by comparing Origin with Host: a socket, unlike a request, has no same-origin rule.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import anyio
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from components.board.feed import Feeds, RunFeed, stop
from components.board.shows import RecordedRuns, show_routes
from fanout.types import BranchId

UNKNOWN_RUN = 4404
NOT_UNDERSTOOD = 4400
EVERY = "*"
FIRST_MESSAGE_S = 10.0


class Ask(BaseModel):
    """What a viewer may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    have: str | None = None
    """The picture it has; the first message says so, and later ones that it lost count."""
    stop: str | None = None
    """A branch's id, or "*" for the whole run."""
    retry: str | None = None


def routes(engine: RecordedRuns) -> list[BaseRoute]:
    """What the app serves beside Streamlit."""
    socket = WebSocketRoute("/api/runs/{run_id}/ws", partial(_watch, engine, Feeds()))
    return [socket, *show_routes(engine)]


async def _watch(engine: RecordedRuns, feeds: Feeds, socket: WebSocket) -> None:
    origin = socket.headers.get("origin")
    if origin and urlsplit(origin).netloc.lower() != socket.headers.get("host", "").lower():
        await socket.close()
        return
    await socket.accept()
    run_id = str(socket.path_params["run_id"])
    handle = await anyio.to_thread.run_sync(engine.get, run_id)
    if handle is None:
        # Only a socket that was opened can tell the browser why it closes.
        await socket.close(UNKNOWN_RUN)
        return
    with suppress(WebSocketDisconnect):
        await _Viewer(socket, feeds.of(run_id, handle)).serve()
        await socket.close(NOT_UNDERSTOOD)


class _Viewer:
    """One open socket: frames go out while questions come in."""

    def __init__(self, socket: WebSocket, feed: RunFeed) -> None:
        self._socket = socket
        self._feed = feed
        self._tag: str | None = None

    async def serve(self) -> None:
        """Returns when the viewer says something that makes no sense, or nothing at first."""
        first = None
        with anyio.move_on_after(FIRST_MESSAGE_S):
            first = await self._ask()
        if first is None:
            return
        self._answer(first)
        gone = False
        async with anyio.create_task_group() as group:
            group.start_soon(self._send)
            try:
                while (ask := await self._ask()) is not None:
                    self._answer(ask)
            except WebSocketDisconnect:
                gone = True
            group.cancel_scope.cancel()
        if gone:
            raise WebSocketDisconnect

    async def _send(self) -> None:
        feed = self._feed
        with suppress(WebSocketDisconnect):
            while True:
                feed.refresh()
                # While a slow socket takes its time, others refresh and the viewer may lose count.
                have, tag = self._tag, feed.tag
                for data in feed.since(have):
                    await self._socket.send_text(data)
                if self._tag == have:
                    self._tag = tag
                await feed.trace()
                await anyio.sleep(feed.wait_s)

    async def _ask(self) -> Ask | None:
        """The next message; None if it makes no sense."""
        try:
            return Ask.model_validate_json(await self._socket.receive_text())
        except (ValidationError, KeyError):
            return None

    def _answer(self, ask: Ask) -> None:
        if ask.stop is not None:
            stop(self._feed.handle, _branch(ask.stop))
        elif ask.retry is not None:
            self._feed.handle.retry(_branch(ask.retry))
        else:
            self._tag = ask.have


def _branch(name: str) -> BranchId | None:
    return None if name == EVERY else BranchId(name)
