"""Who gets in beside Streamlit's pages: what the board's socket and its shows ask first."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from components.board.feed import Handle
from fanout.events import Event


class Recorded(Handle, Protocol):
    """A run with its events; `fanout.engine.handle.RunHandle` is one."""

    @property
    def events(self) -> tuple[Event, ...]: ...


class RecordedRuns(Protocol):
    """Where runs are found; `fanout.engine.Engine` is one."""

    def get(self, run_id: str, /) -> Recorded | None: ...


class Entrance(Protocol):
    """All may be called on worker threads."""

    @property
    def check_s(self) -> float:
        """How often an open socket asks again; 0: what was let in stays in."""

    def expects(self, connection: HTTPConnection) -> bool:
        """Whether a page of this very app sent it, as far as a browser tells."""

    def enter(self, connection: HTTPConnection) -> RecordedRuns | None:
        """The runs that whoever sent it may see; None where they have to sign in."""

    def trouble(self) -> str:
        """What keeps runs from being written down now; "" where nothing does."""


class Open:
    """One's own machine: a run's id can't be guessed and is the permission to see it.

    Other web pages are kept out by comparing Origin with Host: a socket, unlike a request, has no
    same-origin rule.
    """

    check_s = 0.0

    def __init__(self, runs: RecordedRuns) -> None:
        self._runs = runs

    def expects(self, connection: HTTPConnection) -> bool:
        return from_here(connection)

    def enter(self, _connection: HTTPConnection) -> RecordedRuns | None:
        return self._runs

    def trouble(self) -> str:
        return ""


def from_here(connection: HTTPConnection) -> bool:
    """Whether Origin, where there is one, is the host that was asked."""
    origin = connection.headers.get("origin")
    host = connection.headers.get("host", "").lower()
    cross = connection.headers.get("sec-fetch-site", "same-origin") == "cross-site"
    return not cross and (not origin or urlsplit(origin).netloc.lower() == host)
