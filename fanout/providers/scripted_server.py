"""A real HTTP server that speaks OpenAI's protocol and answers from a script.

It runs in a thread of a test (`serving`) or as a process of its own:

    python -m fanout.providers.scripted_server --port 8765 [--script FILE.toml]

It listens on this machine only, and keeps what it was asked, keys included: it is no place for
a real key.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from fanout.errors import DefinitionError
from fanout.providers.batch_script import BatchLedger
from fanout.providers.script import DEMO, Script
from fanout.providers.script_file import load_script
from fanout.providers.scripted_app import Ledger, SeenRequest, scripted_app, tracked_protocol

_HOST = "127.0.0.1"
_STOP_S = 10.0


class ServerHandle:
    """A server that runs, and what it has seen. Safe to read from any thread."""

    def __init__(self, base_url: str, ledger: Ledger) -> None:
        self.base_url = base_url
        """Ends in /v1."""
        self._ledger = ledger

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """The calls for answers, in the order they came; lists of models are not among them."""
        return tuple(self._ledger.requests)

    @property
    def embeddings(self) -> tuple[SeenRequest, ...]:
        """The calls for embeddings, in the order they came."""
        return tuple(self._ledger.embeddings)

    @property
    def batches(self) -> BatchLedger:
        """What the Batch API has seen, and what it is to do next."""
        return self._ledger.batches

    @property
    def in_flight(self) -> int:
        return self._ledger.in_flight

    @property
    def most_in_flight(self) -> int:
        """The largest number of answers that were open at the same time."""
        return self._ledger.most_in_flight

    @property
    def disconnects(self) -> int:
        """Answers that the client left before they were complete."""
        return self._ledger.disconnects

    @property
    def connections(self) -> int:
        """Connections opened so far; fewer than requests where clients use them again."""
        return self._ledger.connections

    @property
    def open_connections(self) -> int:
        """Connections that are open right now, idle ones included."""
        return len(self._ledger.open)

    def wait_until(self, holds: Callable[[ServerHandle], bool], timeout_s: float = 5.0) -> bool:
        """Block until `holds(handle)`, looked at whenever something happens; False if it never is.

        In async code: `await anyio.to_thread.run_sync(handle.wait_until, condition)`.
        """
        with self._ledger.changed:
            return self._ledger.changed.wait_for(lambda: holds(self), timeout_s)


@contextmanager
def serving(script: Script = DEMO, port: int = 0) -> Iterator[ServerHandle]:
    """Serve the script from a thread while the context is open; port 0 takes a free one."""
    ledger = Ledger()
    listener = _listener(port)
    server = _server(script, ledger)
    thread = threading.Thread(
        target=server.run, args=([listener],), name="scripted-server", daemon=True
    )
    thread.start()
    try:
        yield ServerHandle(_base_url(listener), ledger)
    finally:
        server.should_exit = server.force_exit = True
        thread.join(_STOP_S)
        listener.close()


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; 2 where the script or the port can't be used."""
    parser = argparse.ArgumentParser(
        prog="python -m fanout.providers.scripted_server",
        description="An OpenAI-compatible server on this machine that answers from a script.",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--script", type=Path, metavar="FILE.toml")
    chosen = parser.parse_args(arguments)
    try:
        script = load_script(chosen.script) if chosen.script else DEMO
        listener = _listener(chosen.port)
    except DefinitionError as problem:
        return _complain(str(problem))
    except (OSError, OverflowError):
        return _complain(f"Port {chosen.port} can't be used. Choose another with --port.")
    sys.stdout.write(f"Scripted answers at {_base_url(listener)}\n")
    sys.stdout.flush()
    _server(script, Ledger()).run([listener])
    return 0


def _complain(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 2


def _listener(port: int) -> socket.socket:
    return socket.create_server((_HOST, port), backlog=512)


def _base_url(listener: socket.socket) -> str:
    return f"http://{_HOST}:{listener.getsockname()[1]}/v1"


def _server(script: Script, ledger: Ledger) -> uvicorn.Server:
    config = uvicorn.Config(
        scripted_app(script, ledger),
        http=tracked_protocol(ledger),
        ws="none",
        lifespan="off",
        access_log=False,
        # Connections that are cut on purpose would fill the log.
        log_level="critical",
    )
    return uvicorn.Server(config)


if __name__ == "__main__":
    raise SystemExit(main())
