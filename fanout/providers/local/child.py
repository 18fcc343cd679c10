"""The process that runs the weights: llama.cpp's server on loopback, gone as soon as its parent is.

Started as `python -m fanout.providers.local.child`. One JSON line on stdin configures it (so the
key stands in no argument list and no environment), one JSON line on stdout answers with the address
or an error. After that stdin only has to stay open: its end means that the parent is gone, however
it died, and the process leaves at once. What llama.cpp says goes to stderr, which the parent points
at a log file; at this verbosity it never writes prompts or answers.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final, NoReturn

HOST: Final = "127.0.0.1"
WARNINGS: Final = 2
PROMPT_CACHE_MIB: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildConfig:
    model_path: str
    alias: str
    key: str
    """Empty: the server answers without a key."""
    slots: int
    context: int
    """Tokens per slot."""
    threads: int
    port: int = 0
    state_folder: str = ""
    """Where slots' states may be saved; empty: nowhere."""

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> NoReturn:
    replies = _claim_stdout()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(0)
    _leave_with_parent()
    config = ChildConfig(**json.loads(line))
    server, reply = _serve(config)
    _reply(replies, reply)
    # The server lives as long as we hold it.
    threading.Event().wait()
    del server
    raise AssertionError("an event that nobody sets was set")


def _claim_stdout() -> BinaryIO:
    """Keep stdout for our replies alone; whatever else is printed joins the log on stderr."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb")


def _leave_with_parent() -> None:
    """Exit when stdin ends, from now on, also in the middle of loading.

    Loading holds the interpreter's lock, so no thread of ours runs until it is over. There the
    kernel's own signal for a change on stdin stands in: SIGIO, whose default on Linux is to end the
    process.
    """
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import fcntl

        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([0], [], [], 0)[0]:
            os._exit(0)
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    # Not by reading: Linux sends no SIGIO for a socket that somebody is reading from.
    try:
        select.select([0], [], [])
    except OSError:
        sys.stdin.buffer.read()
    os._exit(0)


def _serve(config: ChildConfig) -> tuple[object, Mapping[str, str]]:
    if config.port and not _free(config.port):
        return None, {"error": "port_in_use"}
    try:
        xllamacpp = importlib.import_module("xllamacpp")
    except ImportError:
        return None, {"error": "no_runtime"}
    params = xllamacpp.CommonParams()
    params.model.path = config.model_path
    params.model_alias = {config.alias}
    params.api_keys = [config.key] if config.key else []
    params.hostnames = [HOST]
    params.port = config.port
    # Contexts apart, not one shared: a full shared context fails every call in it at once.
    params.n_parallel = config.slots
    params.n_ctx = config.context * config.slots
    params.cpuparams.n_threads = config.threads
    params.cache_ram_mib = PROMPT_CACHE_MIB
    if config.state_folder:
        # llama.cpp joins folder and file name as they are.
        params.slot_save_path = f"{config.state_folder}{os.sep}"
        os.umask(0o077)
    params.verbosity = WARNINGS
    params.ui = False
    # No web page may read our answers, whoever opens it in a browser on this machine.
    params.cors_origins = ""
    params.cors_credentials = False
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        return None, {"error": "load_failed"}
    return server, {"address": server.listening_address}


def _free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _reply(replies: BinaryIO, reply: Mapping[str, str]) -> None:
    replies.write(json.dumps(reply).encode() + b"\n")
    replies.flush()
    if "error" in reply:
        os._exit(1)


if __name__ == "__main__":
    main()
