"""`python -m fanout worker`: rows of batches carried out until it is ended, beside any others.

Ctrl+C and SIGTERM end it within seconds: rows under way are given back and go on elsewhere or later
from where they are.
"""

from __future__ import annotations

import argparse
import logging
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
from fanout.engine.openings import awaited_store
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError, StoreError
from fanout.settings import Settings
from fanout.types import BatchId

log = logging.getLogger(__name__)

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
    settings = Settings.from_environment()
    with Runtime(settings, store=awaited_store(settings)) as runtime:
        runtime.warm_up()
        told = _Told(runtime, names=sys.stderr.isatty())
        for problem in runtime.problems:
            told.wrong(problem)
        if not runtime.store.kept:
            raise SettingsError(
                "Runs are kept only until Fanout ends, so no batch can be carried out. Mend "
                "FANOUT_HOME or the database first."
            )
        worker = Worker(runtime)
        worker.start()
        place = "its PostgreSQL" if runtime.settings.database else str(runtime.settings.home)
        name = f"{platform.node()} ({os.getpid()})"
        told.say(f"Worker {name} takes rows of batches in {place}. Ctrl+C ends it.")
        _work(runtime, worker, ended, told)
        told.say("Leaving: rows under way are given back.")
        last = threading.Timer(LEAVE_S, os._exit, (ENDED,))
        last.daemon = True
        last.start()
        worker.close()
    last.cancel()
    return ENDED


def _work(runtime: Runtime, worker: Worker, ended: list[int], told: _Told) -> None:
    tick, due = threading.Event(), 0.0
    while not ended:
        tick.wait(LOOK_S)
        told.notes(worker)
        if time.monotonic() < due:
            continue
        due = time.monotonic() + TELL_S
        try:
            told.about(runtime.store.batches.open())
        except StoreError as error:
            told.once(f"{str(error).removesuffix(AGAIN)}{AGAIN}")


class _Told:
    """What was said already, so that a worker that waits is silent."""

    def __init__(self, runtime: Runtime, *, names: bool) -> None:
        """`names`: somebody is there to read titles, which are people's words and in no log."""
        self._names = names
        self._store = runtime.store
        self._json = runtime.settings.log_form == "json"
        self._lines: set[str] = set()
        self._batches: dict[BatchId, tuple[int, int]] = {}

    def say(self, line: str) -> None:
        if self._json:
            log.info("%s", line)
        else:
            print(line, file=sys.stderr, flush=True)

    def wrong(self, line: str) -> None:
        if self._json:
            log.warning("%s", line)
        else:
            self.say(f"fanout: {line}")

    def once(self, line: str) -> None:
        if line not in self._lines:
            self._lines.add(line)
            self.wrong(line)

    def notes(self, worker: Worker) -> None:
        if not self._json:
            # There it has logged them itself.
            for note in worker.notes if self._names else worker.logged:
                self.once(note)

    def about(self, going: tuple[Batch, ...]) -> None:
        """Each batch that moved, and each that came to its end."""
        batches = self._store.batches
        known = {one.id: one for one in going}
        for gone in set(self._batches) - set(known):
            if (batch := batches.get(gone)) is not None:
                known[gone] = batch
            else:
                del self._batches[gone]
                self.say(f"Batch {gone} was deleted.")
        for batch in known.values():
            progress = batches.progress(batch.id)
            now = (progress.ended, progress.counts.get(RowState.RUNNING, 0))
            if self._batches.get(batch.id) != now or batch.state is not BatchState.RUNNING:
                line = next(progress_lines(batch, progress))
                name = f"{batch.title[:60]} ({batch.id})" if self._names else f"Batch {batch.id}"
                self.say(f"{name}, {batch.state.value}: {line}")
            self._batches[batch.id] = now
            if batch.state is not BatchState.RUNNING:
                del self._batches[batch.id]
