"""Several processes on one database: PostgreSQL as the store has it in tests, and a Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.pair import process
from tests.processes.waiting import until
from tests.rig import Rig, free_port
from tests.store.conftest import postgres_address, postgres_url

__all__ = ["postgres_address", "postgres_url"]

NO_REDIS = os.environ.get("FANOUT_NO_REDIS", "")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of these tests' own."""
    program = shutil.which("redis-server")
    if program is None:
        if NO_REDIS:
            pytest.skip("Redis is not installed, and FANOUT_NO_REDIS is set")
        pytest.fail("Redis is not installed: apt install redis-server, or FANOUT_NO_REDIS=1")
    port = free_port()
    with redis_on(port):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def two(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Rig, Rig]]:
    """Two engines on one record; whoever tries Redis as well has others."""
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(process(tmp_path / name, postgres_url)) for name in ("one", "two")
        )
        yield one, other


class redis_on:  # noqa: N801 - reads as the function that it nearly is
    """A server on that port until the block ends, or until `kill`."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> redis_on:
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        from redis import Redis
        from redis.exceptions import ConnectionError as Refused

        def answers() -> bool:
            try:
                with Redis(port=self._port) as client:
                    return bool(client.ping())
            except Refused:
                return False

        until(answers)
        return self

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def __exit__(self, *_: object) -> None:
        self.kill()
