"""The child process as the supervisor holds it: opened, told what to load, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from fanout.errors import LocalModelError
from fanout.providers.local.child import ChildConfig
from fanout.providers.local.weights import INSTALL, LocalModel
from fanout.redaction import without_secrets

MODULE: Final = "fanout.providers.local.child"
LOG: Final = Path("logs", "local-model.log")
GOODBYE_S: Final = 2.0
REPLY_BYTES: Final = 4096


class ModelProcess:
    """One life of the model's process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def open(cls, home: Path) -> ModelProcess:
        """Start the process; it waits for `configure`."""
        with ExitStack() as files:
            process = await anyio.open_process(
                [sys.executable, "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=_log(home, files),
                cwd=Path(__file__).parents[3],
                env=_environment(),
                # Ctrl+C in a terminal is for the app, which then ends the model in good order.
                start_new_session=True,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def gone(self) -> bool:
        return self._process.returncode is not None

    async def configure(self, config: ChildConfig, model: LocalModel) -> str:
        """Load the model; returns the server's address or raises LocalModelError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        replies = BufferedByteReceiveStream(self._process.stdout)
        try:
            await self._process.stdin.send(config.line())
            reply = json.loads(await replies.receive_until(b"\n", REPLY_BYTES))
        except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
            reply = {"error": "died"}
        if "address" in reply:
            return str(reply["address"])
        raise LocalModelError(_words(reply.get("error"), config, model))

    async def wait(self) -> None:
        await self._process.wait()

    async def ended(self, *, within_s: float) -> bool:
        with anyio.move_on_after(within_s):
            await self._process.wait()
        return self.gone

    async def aclose(self) -> None:
        """End it by closing its stdin; kill it where that doesn't work."""
        with anyio.CancelScope(shield=True):
            if self._process.stdin is not None:
                await self._process.stdin.aclose()
            await self.ended(within_s=GOODBYE_S)
            await self.kill()

    async def kill(self) -> None:
        """End it now; returns when it is gone. No harm where it is gone already."""
        with anyio.CancelScope(shield=True):
            if not self.gone:
                self._process.kill()
            await self._process.aclose()


def threads() -> int:
    """Threads for the model: one core stays free, and virtual cores of large machines don't count.

    llama.cpp's threads wait for each other by spinning. With as many threads as cores, one other
    busy program (the browser that shows the page) makes an answer slower by a factor of ten.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, cores - 1) if cores <= 4 else min(max(3, cores // 2), 16)


def _environment() -> dict[str, str]:
    """Ours, without the keys in it: the model's process needs none."""
    return without_secrets(os.environ)


def _log(home: Path, files: ExitStack) -> int:
    path = home / LOG
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return files.enter_context(path.open("wb")).fileno()
    except OSError:
        return subprocess.DEVNULL


def _words(error: object, config: ChildConfig, model: LocalModel) -> str:
    match error:
        case "port_in_use":
            return f"Port {config.port} is in use by another program. Choose another port."
        case "no_runtime":
            return f"llama.cpp, which runs local models, isn't installed. Bring it with: {INSTALL}"
        case "load_failed":
            return (
                f"llama.cpp can't load {model.title}: the file may be damaged, of a kind it "
                "doesn't know, or too large for this machine's memory. "
                "logs/local-model.log says more."
            )
        case _:
            return (
                f"The process of {model.title} ended while it was loading, often for lack of "
                "memory. logs/local-model.log says more."
            )
