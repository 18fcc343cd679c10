"""Runs of a real engine over HTTP, and generated programs that ask a server of the same script."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import anyio
import pytest

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.export.code.graph import langgraph_program
from fanout.export.code.script import python_script
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Script
from fanout.providers.scripted_app import SeenRequest
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.retrieval.library import Library
from fanout.snapshot import Snapshot
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from fanout.workflows.parsing import parse
from tests.rig import AT_ONCE, HERE, MODEL

KEY = "sk-test"
WRITERS = {"script": python_script, "graph": langgraph_program}
STATUS = {"succeeded": 0, "partial": 3, "failed": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program that has been run, and what its server saw of it."""

    status: int
    printed: str
    complaints: str
    requests: tuple[SeenRequest, ...]

    def last(self, title: str) -> str:
        """What it printed under that title, at the end."""
        body = self.printed.rpartition(f"== {title}")[2].partition("\n")[2]
        return body.rpartition(" s in all\n")[0].rpartition("\n")[0].strip()


def ran(
    workflow: Workflow, topic: str, script: Script, library: Library | None = None
) -> tuple[Snapshot, tuple[SeenRequest, ...]]:
    """The finished run, and what it asked."""
    with serving(script) as server, _engine(server, library) as engine:
        snapshot = engine.start(workflow, topic, MODEL).wait(timeout_s=20)
        assert snapshot.status.finished, "the run did not end in time"
        return snapshot, server.requests


@contextmanager
def _engine(server: ServerHandle, library: Library | None) -> Iterator[Engine]:
    """An engine whose one endpoint is that server."""
    book = EndpointBook(OpenAICompatible)
    book.put(Endpoint(id=HERE, name="Here", base_url=server.base_url))
    find = None if library is None else lambda: library
    with Engine(book, retries=AT_ONCE, library=find) as engine:
        yield engine


def changed(name: str, **changes: object) -> Workflow:
    """A shipped workflow with other fields."""
    data = shipped().get(name).model_dump(mode="json", exclude={"name"})
    return parse({**data, **changes}, name=name)


def carried_out(sources: dict[str, str], script: Script, folder: Path) -> dict[str, Ended]:
    """Run programs side by side, as a person would, each with a server of its own."""
    ended: dict[str, Ended] = {}
    with serving(script) as one, serving(script) as other:
        servers = dict(zip(sources, (one, other), strict=False))
        running = {
            name: began(source, servers[name].base_url, folder / f"{name}.py")
            for name, source in sources.items()
        }
        for name, process in running.items():
            printed, complaints = process.communicate(timeout=60)
            ended[name] = Ended(
                status=process.returncode,
                printed=printed,
                complaints=complaints,
                requests=servers[name].requests,
            )
    return ended


@contextmanager
def imported(source: str, folder: Path) -> Iterator[ModuleType]:
    """The program as a module that isn't run."""
    path = folder / f"program_{len(list(folder.iterdir()))}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[path.stem]


def run_here(source: str, script: Script, folder: Path) -> Ended:
    """The same program within this process, which saves the time to start another."""
    printed = io.StringIO()
    given = {"OPENAI_API_KEY": KEY}
    with serving(script) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in {**given, "OPENAI_BASE_URL": server.base_url}.items():
            patch.setenv(name, value)
        with imported(source, folder) as program, redirect_stdout(printed):
            status = anyio.run(program.main)
        return Ended(
            status=status, printed=printed.getvalue(), complaints="", requests=server.requests
        )


@contextmanager
def meeting(count: int) -> Iterator[str]:
    """A server that answers calls with a system message only once `count` of them are there."""
    barrier = threading.Barrier(count)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = 200
            if body["messages"][0]["role"] == "system":
                try:
                    barrier.wait(timeout=10)
                except threading.BrokenBarrierError:
                    status = 400
            reply = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hm."}}]}
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def began(source: str, base_url: str, path: Path) -> subprocess.Popen[str]:
    """The program as a process of its own."""
    path.write_text(source, encoding="utf-8")
    environment = {
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": KEY,
        "PATH": os.environ["PATH"],
        "PYTHONIOENCODING": "utf-8",
    }
    return subprocess.Popen(
        [sys.executable, path.name],
        cwd=path.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


Asked: TypeAlias = list[tuple[str, ...]]
_MARKER = re.compile('"""[a-z]{8}')
"""Each run has its own."""


def asked(requests: tuple[SeenRequest, ...]) -> Asked:
    """What the answers depend on, in an order that chance doesn't change."""
    fields = ("model", "messages", "temperature", "max_tokens", "response_format")
    return sorted(
        tuple(_MARKER.sub('"""', repr(one.body.get(name))) for name in fields) for one in requests
    )
