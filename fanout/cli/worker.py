"""`python -m fanout worker`: rows of batches carried out until it is ended, beside any others.

Ctrl+C and SIGTERM end it within seconds: rows under way are given back and go on elsewhere or later
from where they are.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import threading
import time
from types import FrameType

from fanout.batch.worker import Worker
from fanout.batches import Batch, BatchState, RowState
from fanout.cli.batch_progress import progress_lines
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError, StoreError
from fanout.settings import Settings
from fanout.types import BatchId

ENDED = 0
LOOK_S = 0.5
TELL_S = 10.0
AGAIN = " It is tried again."
LEAVE_S = 4.5
"""Longer than this nothing is waited for: whoever is left holding rows is noticed by the others."""


def worker_command(_options: argparse.Namespace) -> int:
    """Work until a signal."""
    ended: list[int] = []

    def heard(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, heard)
    with Runtime(Settings.from_environment()) as runtime:
        runtime.warm_up()
        for problem in runtime.problems:
            print(f"fanout: {problem}", file=sys.stderr)
        if not runtime.store.kept:
            raise SettingsError(
                "Runs are kept only until Fanout ends, so no batch can be carried out. Mend "
                "FANOUT_HOME or the database first."
            )
        worker = Worker(runtime)
        worker.start()
        place = "its PostgreSQL" if runtime.settings.database else str(runtime.settings.home)
        name = f"{platform.node()} ({os.getpid()})"
        _say(f"Worker {name} takes rows of batches in {place}. Ctrl+C ends it.")
        _work(runtime, worker, ended)
        _say("Leaving: rows under way are given back.")
        last = threading.Timer(LEAVE_S, os._exit, (ENDED,))
        last.daemon = True
        last.start()
        worker.close()
    last.cancel()
    return ENDED


def _work(runtime: Runtime, worker: Worker, ended: list[int]) -> None:
    tick, told, due = threading.Event(), _Told(), 0.0
    while not ended:
        tick.wait(LOOK_S)
        for note in worker.notes:
            told.once(f"fanout: {note}")
        if time.monotonic() < due:
            continue
        due = time.monotonic() + TELL_S
        try:
            told.about(runtime, runtime.store.batches.open())
        except StoreError as error:
            told.once(f"fanout: {str(error).removesuffix(AGAIN)}{AGAIN}")


class _Told:
    """What was said already, so that a worker that waits is silent."""

    def __init__(self) -> None:
        self._lines: set[str] = set()
        self._batches: dict[BatchId, tuple[int, int]] = {}

    def once(self, line: str) -> None:
        if line not in self._lines:
            self._lines.add(line)
            _say(line)

    def about(self, runtime: Runtime, going: tuple[Batch, ...]) -> None:
        """Each batch that moved, and each that came to its end."""
        batches = runtime.store.batches
        known = {one.id: one for one in going}
        for gone in set(self._batches) - set(known):
            if (batch := batches.get(gone)) is not None:
                known[gone] = batch
        for batch in known.values():
            progress = batches.progress(batch.id)
            now = (progress.ended, progress.counts.get(RowState.RUNNING, 0))
            if self._batches.get(batch.id) != now or batch.state is not BatchState.RUNNING:
                line = next(progress_lines(batch, progress))
                _say(f"{batch.title[:60]} ({batch.id}), {batch.state.value}: {line}")
            self._batches[batch.id] = now
            if batch.state is not BatchState.RUNNING:
                del self._batches[batch.id]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
