"""A whole deployment on this machine: apps as people start them, behind the nginx that is shipped.

The proxy's configuration is deploy/nginx.conf itself, with the names and ports of this machine in
the place of those in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.waiting import until
from tests.rig import free_port

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
START_S = 90.0
SERVER = re.compile(r"^( *)server app\d:8501 (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppProcess:
    host: str
    """Its own host:port, past the proxy."""
    process: subprocess.Popen[bytes]
    home: Path
    log: Path

    def kill(self) -> None:
        """As kill -9 does: it has no time for anything."""
        self.process.kill()
        self.process.wait(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    apps: tuple[AppProcess, ...]
    host: str
    """The proxy's host:port."""


@contextlib.contextmanager
def deployed(
    folder: Path, count: int, environment: Mapping[str, str], workflows: Mapping[str, str]
) -> Iterator[Deployment]:
    """So many apps, each with a FANOUT_HOME of its own, and the proxy before them."""
    with contextlib.ExitStack() as stack:
        begun = [
            stack.enter_context(_app(folder / f"app{n}", environment, workflows))
            for n in range(count)
        ]
        for app in begun:
            until(lambda: healthy(app.host, app.process), START_S, "an app")  # noqa: B023
        host = stack.enter_context(proxy(folder, [app.host for app in begun]))
        yield Deployment(apps=tuple(begun), host=host)


@contextlib.contextmanager
def _app(
    folder: Path, environment: Mapping[str, str], workflows: Mapping[str, str]
) -> Iterator[AppProcess]:
    home, log = folder / "home", folder / "app.log"
    (home / "workflows").mkdir(parents=True)
    for name, definition in workflows.items():
        (home / "workflows" / f"{name}.toml").write_text(definition)
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true"]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*command, "--server.showEmailPrompt=false"],
            cwd=ROOT,
            env={**os.environ, "FANOUT_HOME": str(home), **environment},
            stdout=out,
            stderr=out,
        )
    try:
        yield AppProcess(host=f"127.0.0.1:{port}", process=process, home=home, log=log)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        process.kill()


def configuration(folder: Path, port: int, apps: Sequence[str]) -> Path:
    """The shipped one, for this machine."""
    text = CONFIGURATION.read_text()
    (first, *_) = SERVER.finditer(text)
    indent, rest = first.groups()
    servers = "\n".join(f"{indent}server {app} {rest}" for app in apps)
    assert text.count("listen 8080;") == 1 and text.count("pid /tmp/nginx.pid;") == 1
    text = SERVER.sub("", text[: first.start()] + servers + text[first.end() :])
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    text = text.replace("pid /tmp/nginx.pid;", f"pid {folder}/nginx.pid;")
    temporary = "".join(
        f"\n    {name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    if os.geteuid() == 0:
        # Its workers would be somebody else, who may not write into a test's folder.
        text = f"user root;\n{text}"
    file = folder / "nginx.conf"
    file.write_text(text.replace("http {", "http {" + temporary, 1))
    return file


@contextlib.contextmanager
def proxy(folder: Path, apps: Sequence[str]) -> Iterator[str]:
    """nginx with that configuration; its host:port."""
    port = free_port()
    file = configuration(folder, port, apps)
    log = folder / "nginx.log"
    with log.open("ab") as out:
        command = [nginx(), "-p", str(folder), "-c", str(file), "-g", "daemon off;"]
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        until(lambda: healthy(f"127.0.0.1:{port}", process), what="nginx")
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGQUIT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        process.terminate()
        process.wait(timeout=10)


def nginx() -> str:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        if os.environ.get("FANOUT_NO_NGINX"):
            pytest.skip("nginx is not installed, and FANOUT_NO_NGINX is set")
        pytest.fail("nginx is not installed: apt install nginx-light, or set FANOUT_NO_NGINX=1")
    return program


def healthy(host: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it ended at once"
    try:
        with urllib.request.urlopen(f"http://{host}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
