"""The process by itself: it is told by its stdin what to do, and when to go."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanout.providers.local.child import ChildConfig
from fanout.providers.local.process import MODULE
from fanout.providers.local.weights import require_bundled

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.model


def config(**changes: object) -> ChildConfig:
    settings: dict[str, object] = {
        "model_path": str(require_bundled()),
        "alias": "model",
        "key": "key",
        "slots": 3,
        "context": 2048,
        "threads": 1,
    }
    return ChildConfig(**(settings | changes))  # type: ignore[arg-type]


@pytest.fixture(params=["pipe", "socket"])
def child(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The process and our end of its stdin, which event loops make in either way."""
    if request.param == "pipe":
        theirs, ours = os.pipe()
    else:
        left, right = socket.socketpair()
        theirs, ours = left.detach(), right.detach()
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    os.close(theirs)
    with process:
        yield process, ours
        process.kill()


def test_it_leaves_when_its_parent_leaves_before_a_word(
    child: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, stdin = child
    os.close(stdin)
    assert process.wait(timeout=20) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="loading holds the lock of the interpreter")
def test_it_leaves_when_its_parent_leaves_while_the_model_is_being_loaded(
    child: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, stdin = child
    os.write(stdin, config().line())
    maps = Path("/proc", str(process.pid), "maps")
    while ".gguf" not in maps.read_text():
        assert process.poll() is None
    os.close(stdin)
    assert process.wait(timeout=20) == -signal.SIGIO, "it loaded the model to the end first"


def test_it_leaves_when_its_parent_leaves_while_it_serves(
    child: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, stdin = child
    os.write(stdin, config().line())
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["address"].startswith("http://127.0.0.1:")
    os.close(stdin)
    assert process.wait(timeout=20) in (0, -signal.SIGIO)


def test_a_port_in_use_is_one_line_of_json(child: tuple[subprocess.Popen[bytes], int]) -> None:
    process, stdin = child
    with socket.create_server(("127.0.0.1", 0)) as other:
        os.write(stdin, config(port=other.getsockname()[1]).line())
        assert process.stdout is not None
        assert json.loads(process.stdout.read()) == {"error": "port_in_use"}
    assert process.wait(timeout=20) == 1
    os.close(stdin)


def test_a_file_that_llama_cpp_refuses_is_one_line_of_json(
    child: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    process, stdin = child
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(100))
    os.write(stdin, config(model_path=str(tmp_path / "bad.gguf")).line())
    assert process.stdout is not None
    assert json.loads(process.stdout.read()) == {"error": "load_failed"}
    assert process.wait(timeout=20) == 1
    os.close(stdin)
