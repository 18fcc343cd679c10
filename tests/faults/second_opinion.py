"""llmock, a fault server that others wrote, as a process of its own: it judges its client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.faults.leaks import settled
from tests.rig import free_port

_SERVE = "from llmock.cli import app; app()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The server, told what to do wrong and asked what it thinks of whoever asked it."""

    url: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def expect(self, behaviours: Sequence[object]) -> None:
        """Forget what was, and do these things wrong."""
        self._ask("reset", b"{}")
        self._ask("scenario", json.dumps({"behaviors": behaviours}).encode())

    def pending(self) -> list[object]:
        """What it was told to do wrong and has not done."""
        return cast("list[object]", self._ask("scenario")["pending"])

    def findings(self) -> list[str]:
        """What it holds against its client, worst first."""
        found = cast("list[dict[str, object]]", self._ask("verdict")["findings"])
        return [f"{one['severity']} {one['code']}: {one['title']}" for one in found]

    def faults(self) -> int:
        return cast("int", self._ask("verdict")["faults_injected"])

    def alive(self) -> bool:
        try:
            with urlopen(f"{self.url}/health", timeout=5):
                return True
        except (URLError, OSError):
            return False

    def _ask(self, what: str, body: bytes | None = None) -> dict[str, object]:
        kind = {"content-type": "application/json"}
        with urlopen(Request(f"{self.url}/_llmock/{what}", body, kind), timeout=30) as answer:
            return cast("dict[str, object]", json.loads(answer.read()))


@contextmanager
def judging() -> Iterator[Judge]:
    """Serve while the context is open, on this machine only."""
    judge = Judge(url=f"http://127.0.0.1:{(port := free_port())}")
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--log-level", "critical"]
    # Paced: it sees that a client stops reading only while it has something left to say.
    arguments += ["--stream-chunk-delay-ms", "50"]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        up = settled(lambda: judge.alive() or process.poll() is not None, timeout_s=60)
        assert up and process.poll() is None, "llmock did not start"
        yield judge
    finally:
        process.terminate()
        process.wait(10)
