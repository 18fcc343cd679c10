"""Worker processes that are killed: one driver imports everything and forks a child per worker.

python -m tests.batch.workers  reads a line per worker and prints its process id at once. A child
carries batches out until it is killed, or ends properly on SIGTERM. The driver has no threads, so
that a fork is a whole process; it ends its children when its own input ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dbos  # noqa: F401 - loaded once, here, instead of in every child

import fanout.batch.durable  # noqa: F401 - as above
from fanout.batch.worker import Worker
from fanout.engine.runtime import Runtime
from fanout.settings import Settings

ROOT = Path(__file__).parents[2]
LOOK_S = 0.1


class Workers:
    """Those that a test has started."""

    def __init__(self, driver: subprocess.Popen[str]) -> None:
        self._driver = driver
        self.alive: list[int] = []

    def start(self) -> int:
        """Another one; its process id."""
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write("\n")
        self._driver.stdin.flush()
        self.alive.append(int(self._driver.stdout.readline()))
        return self.alive[-1]

    def kill(self, pid: int) -> None:
        """As kill -9 does, at whatever it is doing; gone when this returns."""
        self.alive.remove(pid)
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/fd").exists() and _running(pid):
            threading.Event().wait(0.005)


@contextmanager
def workers(environment: dict[str, str], log: Path) -> Iterator[Workers]:
    """Start none; ends those that are alive at the end."""
    with log.open("wb") as errors:
        driver = subprocess.Popen(
            [sys.executable, "-m", "tests.batch.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment | {"PYTHONPATH": str(ROOT)},
        )
    started = Workers(driver)
    try:
        yield started
    finally:
        for pid in started.alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        driver.communicate(timeout=30)


def _running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


def _child() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with Runtime(Settings.from_environment()) as runtime:
        worker = Worker(runtime, look_s=LOOK_S, poll_s=LOOK_S)
        worker.start()
        ended.wait()
        worker.close()


def main() -> None:
    """Fork for every line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdin.close()
            _child()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
