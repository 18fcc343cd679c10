"""Runs of a real engine over HTTP, and generated programs as processes that ask the same server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

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
from fanout.types import MadeWith
from fanout.workflows.definition import Workflow
from tests.rig import AT_ONCE, HERE, MODEL

KEY = "sk-test"
WRITERS = {"script": python_script, "graph": langgraph_program}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program that has been run, and what its server saw of it."""

    status: int
    printed: str
    complaints: str
    requests: tuple[SeenRequest, ...]


@contextmanager
def asking(server: ServerHandle, library: Library | None = None) -> Iterator[Engine]:
    """An engine whose one endpoint is that server."""
    book = EndpointBook(OpenAICompatible)
    book.put(Endpoint(id=HERE, name="Here", base_url=server.base_url))
    find = None if library is None else lambda: library
    with Engine(book, retries=AT_ONCE, library=find) as engine:
        yield engine


def ran(
    workflow: Workflow, topic: str, server: ServerHandle, library: Library | None = None
) -> tuple[Snapshot, tuple[SeenRequest, ...]]:
    """The finished run, and what it asked."""
    before = len(server.requests)
    with asking(server, library) as engine:
        snapshot = engine.start(workflow, topic, MODEL).wait(timeout_s=20)
    assert snapshot.status.finished, "the run did not end in time"
    return with_definition(snapshot, workflow), server.requests[before:]


def with_definition(snapshot: Snapshot, workflow: Workflow) -> Snapshot:
    definition = workflow.model_dump(mode="json")
    return replace(snapshot, made_with=MadeWith(model=MODEL, definition=definition))


def carried_out(source: str, server: ServerHandle, folder: Path) -> Ended:
    """Run the program as a person would, with the server as its endpoint."""
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    before = len(server.requests)
    environment = {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": KEY,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env=environment,
        cwd=folder,
        check=False,
    )
    return Ended(
        status=done.returncode,
        printed=done.stdout,
        complaints=done.stderr,
        requests=server.requests[before:],
    )


def said(request: SeenRequest) -> tuple[object, ...]:
    """What an answer depends on."""
    body = request.body
    return tuple(
        repr(body.get(name))
        for name in ("model", "messages", "temperature", "max_tokens", "response_format")
    )


@contextmanager
def played(script: Script) -> Iterator[ServerHandle]:
    with serving(script) as server:
        yield server


def unhappy(requests: Mapping[str, object]) -> bool:
    return bool(requests)
