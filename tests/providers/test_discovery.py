"""Finding the servers of this machine: those that answer like OpenAI's, and no others."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fanout.providers.discovery import FoundServer, find_local_servers
from fanout.providers.script import Script
from fanout.providers.scripted_server import serving

PAGE = b"<!doctype html><title>A web app</title>"


def port_of(base_url: str) -> int:
    return int(base_url.removesuffix("/v1").rpartition(":")[2])


@contextmanager
def answering(body: bytes, status: str = "200 OK") -> Iterator[int]:
    """A server that gives this one answer to the first who asks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


async def test_servers_that_run_are_found_with_their_models() -> None:
    with serving(Script(models=("b", "a"))) as one, serving(Script(models=("c",))) as two:
        ports = {port_of(one.base_url): "Ollama", port_of(two.base_url): "LM Studio"}
        found = await find_local_servers(ports, deadline_s=5)
    assert found == (
        FoundServer(name="Ollama", base_url=one.base_url, models=("a", "b")),
        FoundServer(name="LM Studio", base_url=two.base_url, models=("c",)),
    )


async def test_what_is_no_model_server_is_not_offered() -> None:
    with (
        answering(PAGE) as page,
        answering(b'{"status": "ok"}') as other,
        answering(b'{"data": ["a"]}') as nonsense,
        answering(b'{"data": []}', "401 Unauthorized") as locked,
        answering(b"", "302 Found") as redirect,
    ):
        ports = dict.fromkeys((page, other, nonsense, locked, redirect), "x")
        assert await find_local_servers(ports, deadline_s=5) == ()


async def test_a_silent_port_and_a_closed_one_hold_nobody_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        socket.socket() as closed,
        serving() as server,
    ):
        closed.bind(("127.0.0.1", 0))
        ports = {
            silent.getsockname()[1]: "silent",
            closed.getsockname()[1]: "closed",
            port_of(server.base_url): "vLLM",
        }
        found = await find_local_servers(ports, deadline_s=2)
    assert [server.name for server in found] == ["vLLM"]
