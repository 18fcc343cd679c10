"""The endpoint that benchmarks ask: a scripted server in its own process, at a fixed pace."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rig import free_port

ROOT = Path(__file__).resolve().parents[1]
TOKENS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedEndpoint:
    base_url: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def paced_endpoint(
    *, tokens: int = TOKENS, tokens_per_s: float = 60.0, first_token_s: float = 0.3
) -> Iterator[PacedEndpoint]:
    """Serve answers of `tokens` words at that pace until the context ends."""
    port = free_port()
    words = " ".join(["word"] * tokens)
    script = (
        f'[otherwise]\ntext = "{words}"\n'
        f"tokens_per_s = {tokens_per_s}\nfirst_token_s = {first_token_s}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.toml"
        file.write_text(script)
        arguments = ["--port", str(port), "--script", str(file)]
        process = subprocess.Popen(
            [sys.executable, "-m", "fanout.providers.scripted_server", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            base_url = f"http://127.0.0.1:{port}/v1"
            _wait_for(base_url + "/models", process)
            yield PacedEndpoint(base_url=base_url, process=process)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("the scripted server ended at once")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError("the scripted server did not come up")
