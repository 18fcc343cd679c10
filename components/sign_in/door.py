"""Who may come in by a way that is no page of Streamlit: the board's socket, a replay, a download.

Three things are asked of a request: that a page of this Fanout sent it, that whoever sent it is
signed in, and that the run is theirs or shared. The third is the answer of what is handed out here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from anyio.to_thread import run_sync
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.board.entrance import from_here
from components.sign_in.cookie import claims_in, public_origin
from components.sign_in.line import line
from fanout.engine.engine import Engine
from fanout.engine.runtime import Runtime
from fanout.errors import StoreError

REFUSED = "Sign in first."
CHECK_S = 5.0
GUARDED = ("/media/", "/_stcore/upload_file/", "/_stcore/metrics")
"""Streamlit's own ways to what people made, which ask for nothing but an address."""
PAGES = "/_stcore/stream"
"""The socket by which Streamlit's pages are drawn and their buttons pressed."""


class Process(Protocol):
    """Gives the runtime of this process; `components.session.process` is one."""

    def __call__(self) -> Runtime: ...


class Door:
    """All methods may be called from any thread."""

    def __init__(self, process: Process, origin: Callable[[], str] = public_origin) -> None:
        """`origin` is where people reach this Fanout."""
        self._process = process
        self._origin = origin

    @property
    def check_s(self) -> float:
        """Nobody watches on for longer after signing out, or after a run is shared no more."""
        return 0.0 if self._process().visitors is None else CHECK_S

    @property
    def behind_tls(self) -> bool:
        """Whether people reach this Fanout by https, as its sign-in is set up for."""
        return self._process().visitors is not None and self._origin().startswith("https:")

    def enter(self, connection: HTTPConnection) -> Engine | None:
        """The runs that whoever sent this may see; None where they have to sign in."""
        whole = self._process()
        if whole.visitors is None:
            return whole.engine
        try:
            person = whole.visitors.person(claims_in(connection.cookies))
        except StoreError:
            return None
        return None if person is None else whole.visitors.of(person).engine

    def trouble(self) -> str:
        """What keeps runs from being written down now; "" where nothing does."""
        scribe = self._process().engine.scribe
        return scribe.problem if scribe is not None else ""

    def knows(self, connection: HTTPConnection) -> bool:
        """Whether whoever sent it is signed in, as far as can be told now."""
        visitors = self._process().visitors
        try:
            return visitors is None or visitors.person(claims_in(connection.cookies)) is not None
        except StoreError:
            return True

    def expects(self, connection: HTTPConnection) -> bool:
        """Whether a page of this very Fanout sent it, as far as a browser tells."""
        if self._process().visitors is None:
            return from_here(connection)
        origin = connection.headers.get("origin")
        if connection.scope["type"] == "websocket" or origin is not None:
            # No browser opens a socket without saying where from.
            return origin is not None and origin.lower() == self._origin()
        return connection.headers.get("sec-fetch-site", "same-origin") != "cross-site"


class Guard:
    """Middleware: asks for a sign-in where Streamlit doesn't, and keeps cookies to TLS."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == PAGES and self._door.check_s:
            heard = line(HTTPConnection(scope), receive, self._door.knows)
            await self._app(scope, heard, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = str(scope["path"]).startswith(GUARDED)
        if guarded and await run_sync(self._door.enter, HTTPConnection(scope)) is None:
            await PlainTextResponse(REFUSED, 403)(scope, receive, send)
            return
        await self._app(scope, receive, secured(send) if self._door.behind_tls else send)


def secured(send: Send) -> Send:
    """Cookies that no browser sends over an open line; Streamlit leaves that out."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [_secure(*one) for one in message["headers"]]}
        await send(message)

    return sent


def _secure(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    plain = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if plain else value
