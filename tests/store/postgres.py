"""A real PostgreSQL for one test session: a throwaway cluster on this machine, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg

from tests.rig import free_port

WITHOUT = "FANOUT_NO_POSTGRES"
"""Set, it lets the suite pass on a machine that has no PostgreSQL."""
PASSWORD = "pass:word/@ü"
"""Awkward on purpose, so that every place that takes an address apart meets it."""
QUOTED = "pass%3Aword%2F%40%C3%BC"
START_S = 30.0


def installed() -> Path | None:
    """The folder of PostgreSQL's programs; None where there is none."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*packaged, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """The address of a running server without its database's name; loopback, nothing synced."""
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="fanout-postgres-"))
    if user is not None:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    secret = folder / "password"
    secret.write_text(PASSWORD, "utf-8")
    secret.chmod(0o644)
    shared: dict[str, object] = {"cwd": folder, "user": user, "env": _environment()}
    subprocess.run(
        [
            *(programs / "initdb", "-D", data, "-U", "fanout", "-E", "UTF8", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"),
        ],
        check=True,
        capture_output=True,
        **shared,  # type: ignore[call-overload]
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data]
            + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
            stdout=log,
            stderr=log,
            **shared,  # type: ignore[call-overload]
        )
    address = f"postgresql://fanout:{QUOTED}@127.0.0.1:{port}"
    try:
        _wait(address, server, folder / "log")
        yield address
    finally:
        # SIGINT is PostgreSQL's fast shutdown: sessions are ended, files are closed.
        server.send_signal(signal.SIGINT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(address: str) -> Iterator[str]:
    """The URL of an empty database of that server; dropped at the end."""
    name = f"fanout_{secrets.token_hex(6)}"
    _run(address, f"CREATE DATABASE {name}")
    try:
        yield f"{address}/{name}"
    finally:
        _run(address, f"DROP DATABASE {name} WITH (FORCE)")


def _run(address: str, statement: str) -> None:
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(statement.encode())


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = monotonic() + START_S
    while True:
        try:
            _run(address, "SELECT 1")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            sleep(0.05)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; None where we aren't."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "HOME": "/"}
