"""Beside the socket of a run: its replay's frames, and its page for a projector.

Both are as open as the socket is: who knows the run's id may see it, other web pages may not.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections import OrderedDict
from html import escape
from typing import Protocol
from urllib.parse import urlsplit

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from components.board.feed import Handle
from fanout.events import Event
from fanout.render.replay import replay_frames
from fanout.render.sanitise import clean_text
from fanout.render.stage import board_data, board_script, inline_json

KEPT_REPLAYS = 8
UNKNOWN = "This run is not known here. The link may be incomplete, or the run was deleted."

_PAGE_STYLE = (
    "html{color-scheme:light dark;background:#fbfaf8;height:100%}"
    "@media (prefers-color-scheme:dark){html{background:#14161b}}"
    "noscript,.plain{display:block;margin:4rem auto;max-width:34rem;padding:0 1rem;"
    "font:1.1rem/1.6 system-ui,sans-serif}"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


class Recorded(Handle, Protocol):
    """A run with its events; `fanout.engine.handle.RunHandle` is one."""

    @property
    def events(self) -> tuple[Event, ...]: ...


class RecordedRuns(Protocol):
    """Where runs are found; `fanout.engine.Engine` is one."""

    def get(self, run_id: str, /) -> Recorded | None: ...


def show_routes(engine: RecordedRuns) -> list[BaseRoute]:
    """GET /api/runs/ID/replay and GET /present/ID."""
    shows = _Shows(engine)
    return [
        Route("/api/runs/{run_id}/replay", shows.replay, methods=["GET"]),
        Route("/present/{run_id}", shows.present, methods=["GET"]),
    ]


class _Shows:
    """Makes a replay once for everybody who asks for the same state of a run."""

    def __init__(self, engine: RecordedRuns) -> None:
        self._engine = engine
        self._packed: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._making = anyio.Lock()

    async def replay(self, request: Request) -> Response:
        """{"frames": [...]}, compressed; 304 where the browser has it."""
        if _from_elsewhere(request):
            return PlainTextResponse("Another site asked.", 403)
        handle = await self._find(request)
        if handle is None:
            return PlainTextResponse(UNKNOWN, 404)
        packed = await self._pack(handle)
        tag = f'"{hashlib.sha256(packed).hexdigest()[:32]}"'
        headers = {
            "etag": tag,
            "cache-control": "private, no-cache",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        else:
            packed = await anyio.to_thread.run_sync(gzip.decompress, packed)
        return Response(packed, 200, headers, "application/json")

    async def present(self, request: Request) -> Response:
        """A page of its own: no Streamlit, nothing from elsewhere, nothing to click."""
        handle = await self._find(request)
        if handle is None:
            body = f'<p class="plain">{escape(UNKNOWN)} <a href="/">Start a new run</a></p>'
            page = _PAGE.format(title="Unknown run", style=_PAGE_STYLE, body=body)
            return HTMLResponse(page, 404, _headers())
        snapshot = handle.snapshot
        data = board_data(snapshot) | {
            "path": f"/api/runs/{snapshot.run_id}/ws",
            "replay": {"path": f"/api/runs/{snapshot.run_id}/replay"},
            "leave": f"/?run={snapshot.run_id}",
        }
        body = (
            "<noscript>Presenting needs JavaScript.</noscript>\n"
            '<div data-present="run"></div>\n'
            f'<script type="application/json" id="run">{inline_json(data)}</script>\n'
            f"<script>{board_script()}</script>"
        )
        title = escape(clean_text(snapshot.topic or snapshot.title)[:80])
        page = _PAGE.format(title=title, style=_PAGE_STYLE, body=body)
        return HTMLResponse(page, 200, _headers())

    async def _find(self, request: Request) -> Recorded | None:
        run_id = str(request.path_params["run_id"])
        return await anyio.to_thread.run_sync(self._engine.get, run_id)

    async def _pack(self, handle: Recorded) -> bytes:
        async with self._making:
            key = (handle.snapshot.run_id, handle.snapshot.seq)
            if key not in self._packed:
                self._packed[key] = await anyio.to_thread.run_sync(_packed, handle)
            self._packed.move_to_end(key)
            while len(self._packed) > KEPT_REPLAYS:
                self._packed.popitem(last=False)
            return self._packed[key]


def _packed(handle: Recorded) -> bytes:
    frames = replay_frames(handle.events)
    text = json.dumps({"frames": frames}, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode("utf-8", "replace"), 6, mtime=0)


def _from_elsewhere(request: Request) -> bool:
    origin = request.headers.get("origin")
    host = request.headers.get("host", "").lower()
    cross = request.headers.get("sec-fetch-site", "same-origin") == "cross-site"
    return cross or bool(origin and urlsplit(origin).netloc.lower() != host)


def _headers() -> dict[str, str]:
    """Only this very script and style, and only this server to talk to."""
    policy = (
        f"default-src 'none'; script-src {_hash(board_script())}; style-src {_hash(_PAGE_STYLE)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    )
    return {
        "content-security-policy": policy,
        "cache-control": "private, no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
