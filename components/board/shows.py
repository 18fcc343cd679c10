"""Beside the socket of a run: its replay's frames, and its page for a projector.

Both are as open as the socket is: the same entrance says who may see a run.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections import OrderedDict
from html import escape
from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from components.board.entrance import Entrance, Recorded
from fanout.render.replay import replay_frames
from fanout.render.sanitise import clean_text
from fanout.render.stage import board_data, board_script, inline_json

KEPT_REPLAYS = 8
SIGN_IN = "You have to sign in to see this."
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


def show_routes(entrance: Entrance) -> list[BaseRoute]:
    """GET /api/runs/ID/replay and GET /present/ID."""
    shows = _Shows(entrance)
    return [
        Route("/api/runs/{run_id}/replay", shows.replay, methods=["GET"]),
        Route("/present/{run_id}", shows.present, methods=["GET"]),
    ]


class _Shows:
    """Makes a replay once for everybody who asks for the same state of a run."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance
        self._packed: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._making = anyio.Lock()

    async def replay(self, request: Request) -> Response:
        """{"frames": [...]}, compressed; 304 where the browser has it."""
        if not await anyio.to_thread.run_sync(self._entrance.expects, request):
            return PlainTextResponse("Another site asked.", 403)
        handle = await anyio.to_thread.run_sync(self._find, request)
        if isinstance(handle, str):
            return PlainTextResponse(handle, 403 if handle == SIGN_IN else 404)
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
        handle = await anyio.to_thread.run_sync(self._find, request)
        if handle == SIGN_IN:
            body = (
                f'<p class="plain">{escape(SIGN_IN)} <a href="{_run_page(request)}">Sign in</a></p>'
            )
            return HTMLResponse(_plain_page("Sign in", body), 403, _headers())
        if isinstance(handle, str):
            body = f'<p class="plain">{escape(UNKNOWN)} <a href="/">Start a new run</a></p>'
            return HTMLResponse(_plain_page("Unknown run", body), 404, _headers())
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

    def _find(self, request: Request) -> Recorded | str:
        """The run, or what to say instead."""
        runs = self._entrance.enter(request)
        if runs is None:
            return SIGN_IN
        handle = runs.get(str(request.path_params["run_id"]))
        return UNKNOWN if handle is None else handle

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


def _plain_page(title: str, body: str) -> str:
    return _PAGE.format(title=title, style=_PAGE_STYLE, body=body)


def _run_page(request: Request) -> str:
    """Where signing in leads back to the run, whatever stands in the address."""
    return f"/?run={quote(str(request.path_params['run_id']), safe='')}"


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
