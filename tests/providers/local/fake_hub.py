"""A model hub on loopback: lists files, redirects to storage, serves ranges, fails on request."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REVISION = "c0ffee" * 6


@dataclass
class FakeHub:
    files: dict[str, bytes]
    url: str = ""
    status: int = 200
    error_code: str = ""
    published_sha256: str | None = None
    break_after: int | None = None
    """The next download stops after so many bytes; once."""
    ignores_ranges: bool = False
    redirect_to: str | None = None
    """Where downloads are redirected; None is the hub's own storage."""
    ranges: list[str | None] = field(default_factory=list)
    tokens: list[tuple[str, str | None]] = field(default_factory=list)

    def listing(self) -> dict[str, Any]:
        return {
            "sha": REVISION,
            "siblings": [{"rfilename": "README.md", "size": 3}]
            + [
                {
                    "rfilename": name,
                    "size": len(body),
                    "lfs": {"sha256": self.published_sha256 or hashlib.sha256(body).hexdigest()},
                }
                for name, body in self.files.items()
            ],
        }


@contextmanager
def running(hub: FakeHub) -> Iterator[FakeHub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.tokens.append((self.path, self.headers.get("authorization")))
            if self.path.startswith("/storage/"):
                self._send_file(hub.files[self.path.removeprefix("/storage/")])
            elif hub.status != 200:
                self._send(hub.status, b"{}", {"x-error-code": hub.error_code})
            elif self.path.startswith("/api/models/"):
                self._send(200, json.dumps(hub.listing()).encode())
            elif match := re.fullmatch(rf"/[^/]+/[^/]+/resolve/{REVISION}/(.+)", self.path):
                where = hub.redirect_to or f"{hub.url}/storage/{match[1]}"
                self._send(302, b"", {"location": where})
            else:
                self._send(404, b"")

        def _send_file(self, body: bytes) -> None:
            asked = self.headers.get("range")
            hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if hub.ignores_ranges:
                start = 0
            rest = body[start:]
            self.send_response(206 if start else 200)
            self.send_header("content-length", str(len(rest)))
            self.end_headers()
            cut, hub.break_after = hub.break_after, None
            self.wfile.write(rest if cut is None else rest[:cut])
            self.close_connection = True

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
