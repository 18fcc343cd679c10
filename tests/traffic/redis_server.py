"""A real Redis for a test: empty, in memory, on this machine, with a password."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from redis import Redis
from redis.exceptions import RedisError

from tests.rig import free_port

WITHOUT = "FANOUT_NO_REDIS"
"""Set, it lets the suite pass on a machine that has no Redis."""
PASSWORD = "pass-word-of-redis"
START_S = 20.0


def installed() -> str | None:
    return shutil.which("redis-server")


@contextmanager
def server(program: str, port: int = 0) -> Iterator[str]:
    """The address of a running server."""
    port = port or free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD]
    # Nothing is ever written to the disk.
    command += ["--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + START_S
    with Redis.from_url(address) as client:
        while True:
            try:
                client.ping()
                return
            except RedisError:
                if process.poll() is not None or monotonic() > deadline:
                    raise RuntimeError("Redis did not start") from None
                sleep(0.02)
