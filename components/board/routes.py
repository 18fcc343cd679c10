"""The board's socket: what who may watch a run is sent, and what they may ask for.

Who that is, the entrance says: at the beginning, and every few seconds while the socket is open, so
that nobody watches on after signing out or after a run is shared no more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic

import anyio
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from components.board.entrance import Entrance, Open, Recorded, RecordedRuns
from components.board.feed import Feeds, RunFeed, around, newest, stop
from components.board.shows import show_routes
from fanout.errors import InputError
from fanout.types import BranchId

UNKNOWN_RUN = 4404
"""Also of a run that isn't theirs to see: nobody learns which ids there are."""
SIGNED_OUT = 4401
NOT_UNDERSTOOD = 4400
EVERY = "*"
FIRST_MESSAGE_S = 10.0
LOOK_AROUND_S = 2.0
"""How soon a board tells its page that what stands around it is not true any more."""


class Ask(BaseModel):
    """What a viewer may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    have: str | None = None
    """The picture it has; the first message says so, and later ones that it lost count."""
    around: str | None = None
    """What its page says around it."""
    stop: str | None = None
    """A branch's id, or "*" for the whole run."""
    retry: str | None = None
    fold: bool = False
    """Combine the run's own answer anew, with what came too late for it."""


def routes(runs: RecordedRuns) -> list[BaseRoute]:
    """What the app serves beside Streamlit, to whoever knows a run's id."""
    return guarded_routes(Open(runs))


def guarded_routes(entrance: Entrance) -> list[BaseRoute]:
    """The same to those whom the entrance lets in."""
    watch = WebSocketRoute("/api/runs/{run_id}/ws", partial(_watch, entrance, Feeds()))
    return [watch, *show_routes(entrance)]


async def _watch(entrance: Entrance, feeds: Feeds, socket: WebSocket) -> None:
    if not await anyio.to_thread.run_sync(entrance.expects, socket):
        await socket.close()
        return
    await socket.accept()
    found = await anyio.to_thread.run_sync(_found, entrance, socket)
    if isinstance(found, int):
        # Only a socket that was opened can tell the browser why it closes.
        await socket.close(found)
        return
    run_id = str(socket.path_params["run_id"])
    feed = feeds.of(run_id, getattr(found, "run", found))
    with suppress(WebSocketDisconnect):
        may = partial(_found, entrance, socket)
        viewer = _Viewer(socket, feed, found, may, entrance)
        await socket.close(await viewer.serve())


def _found(entrance: Entrance, socket: WebSocket) -> Recorded | int:
    """The run, or with what code the socket is closed."""
    runs = entrance.enter(socket)
    if runs is None:
        return SIGNED_OUT
    handle = runs.get(str(socket.path_params["run_id"]))
    return UNKNOWN_RUN if handle is None else handle


class _Viewer:
    """One open socket: frames go out while questions come in."""

    def __init__(
        self,
        socket: WebSocket,
        feed: RunFeed,
        handle: Recorded,
        may: Callable[[], Recorded | int],
        entrance: Entrance,
    ) -> None:
        """`handle` is the run as this viewer has it, who may not be its owner."""
        self._socket = socket
        self._feed = feed
        self._handle = handle
        self._may = may
        self._check_s = entrance.check_s
        self._trouble = entrance.trouble
        self._around: str | None = None
        """What its page says; None where no page stands around it."""
        self._looked_s = float("-inf")
        self._tag: str | None = None
        self._refused: list[dict[str, object]] = []
        self._stopping: Ask | None = None
        """What was asked last to be stopped."""

    async def serve(self) -> int:
        """The code to close with, when the viewer says something that makes no sense, or nothing
        at first, or may not watch any more."""
        first = None
        with anyio.move_on_after(FIRST_MESSAGE_S):
            first = await self._ask()
        if first is None:
            return NOT_UNDERSTOOD
        self._answer(first)
        gone, code = False, NOT_UNDERSTOOD

        async def look_after() -> None:
            nonlocal code
            while not isinstance(found := await anyio.to_thread.run_sync(self._may), int):
                self._handle = found
                await anyio.sleep(self._check_s)
            code = found
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(self._send)
            if self._check_s:
                group.start_soon(look_after)
            try:
                while (ask := await self._ask()) is not None:
                    self._answer(ask)
            except WebSocketDisconnect:
                gone = True
            group.cancel_scope.cancel()
        if gone:
            raise WebSocketDisconnect
        return code

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
                self._look_at_stop()
                if self._looks_other():
                    await self._socket.send_json({"around": self._around})
                while self._refused:
                    await self._socket.send_json({"refused": self._refused.pop()})
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
            self._stopping = ask
            stop(self._handle, _branch(ask.stop))
        elif ask.retry is not None or ask.fold:
            self._go_on(ask)
        else:
            self._tag = ask.have
            if ask.around is not None:
                self._around = ask.around

    def _looks_other(self) -> bool:
        """Whether the page around the board says what is not true any more."""
        now = monotonic()
        if self._around is None or now - self._looked_s < LOOK_AROUND_S:
            return False
        self._looked_s = now
        before, self._around = self._around, around(self._handle, self._trouble())
        return self._around != before

    def _look_at_stop(self) -> None:
        """A Stop that another process did not hear is sent back as well."""
        notice: str = getattr(newest(self._handle), "notice", "")
        if self._stopping is not None and notice:
            self._refused = [self._stopping.model_dump(exclude_defaults=True)]
            self._stopping = None

    def _go_on(self, ask: Ask) -> None:
        """What is refused is sent back: the board asks the page for it, and that says why."""
        try:
            if ask.retry is not None:
                self._handle.retry(_branch(ask.retry))
            else:
                self._handle.fold_in()
        except InputError:
            self._refused = [ask.model_dump(exclude_defaults=True)]


def _branch(name: str) -> BranchId | None:
    return None if name == EVERY else BranchId(name)
