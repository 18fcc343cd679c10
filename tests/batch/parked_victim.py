"""Processes that carry rows out through a provider's batch, to be killed and started again.

Loading everything takes seconds, so one process loads it once and forks the victims: none of them
has a thread, a connection or a lock before it is one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fanout.engine.handle import RunHandle
from fanout.providers.scripted_server import ServerHandle
from fanout.store.store import Store
from tests.batch.parked import Parked, comes_true, ended, engine_of
from tests.rig import trio

ROOT = Path(__file__).parents[2]


class Victim:
    """One process; it leaves a file behind once all its rows have ended."""

    def __init__(self, pid: int, mark: Path) -> None:
        self._pid = pid
        self._mark = mark

    def kill(self) -> None:
        """kill -9, and wait until it is gone; harmless where it has ended."""
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        assert comes_true(self._gone)

    def ends_well(self, timeout_s: float) -> bool:
        comes_true(lambda: self._mark.exists() or self._gone(), timeout_s)
        return self._mark.exists()

    def _gone(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return True
        return False


class Nursery:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._count = 0

    def start(self, home: Path, server: ServerHandle, rows: int, url: str = "") -> Victim:
        self._count += 1
        mark = home / f"ended-{self._count}"
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = [str(home), server.base_url, rows, url, str(mark)]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Victim(int(self._process.stdout.readline()), mark)


@contextmanager
def nursery() -> Iterator[Nursery]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.batch.parked_victim"],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


def gone_on(here: Parked, number: int) -> RunHandle:
    handle = here.engine.get(f"row-{number}")
    if handle is None:
        return here.row(trio(), f"topic {number}", number)
    assert handle.snapshot.status.finished, "its process is gone"
    handle.resume()
    return handle


def carry_out(home: str, base_url: str, rows: int, url: str, mark: str) -> None:
    nothing: Any = None
    server = ServerHandle(base_url, nothing)
    with Store.open(Path(home), url) as store, engine_of(server, store) as here:
        for handle in [gone_on(here, number) for number in range(1, rows + 1)]:
            ended(handle)
    Path(mark).touch()


def main() -> None:
    # Whoever ends is gone at once, and nobody has to ask after it.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            carry_out(*json.loads(line))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
