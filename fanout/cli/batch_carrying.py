"""A batch carried out in this process: a worker, what a person sees meanwhile, and their Ctrl+C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from fanout.batch.worker import Worker
from fanout.batches import Batch, BatchState, Progress, RowState
from fanout.cli.batch_acts import id_said
from fanout.cli.batch_looks import DELETED, print_result
from fanout.cli.batch_progress import BatchProgress
from fanout.engine.runtime import Runtime
from fanout.errors import InputError, StoreError
from fanout.types import BatchId

LOOK_S = 0.5
REST = 5
"""How many times as long as a look takes nothing is asked of the database after it."""
STARTED = 0
AGAIN = " It is tried again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """How it stood when this process left it."""

    batch: Batch
    left: int
    """Rows that nobody has carried out yet."""

    @property
    def finished(self) -> bool:
        return self.batch.state is BatchState.FINISHED


class _Asked:
    """What the person has asked for: to pause, or to leave `now` without the rows under way."""

    def __init__(self) -> None:
        self.pause = self.now = False


def carry_out(runtime: Runtime, made: BatchId, options: argparse.Namespace) -> Over:
    """Work on it, with any other workers, until it is finished, paused or stopped by whomever.

    The first Ctrl+C pauses it and waits for the rows under way; the second one, and SIGTERM, leave
    at once: those rows go on from where they are when somebody goes on with the batch.
    """
    shown = BatchProgress(sys.stderr, quiet=options.json)
    worker = Worker(runtime, only=made)
    with _signals() as asked:
        worker.start()
        worker.wake()
        try:
            return _watch(runtime, made, worker, shown, asked)
        finally:
            worker.close()
            shown.close()


def carried(runtime: Runtime, made: BatchId, options: argparse.Namespace) -> int:
    """Carry it out here, or leave it to others where that is wanted; the exit status."""
    if options.detach:
        if options.json:
            return print_result(runtime.store, made, options, status=STARTED)
        print(made)
        print(
            "The app or a worker carries it out. `python -m fanout worker` starts one, "
            f"`python -m fanout batch --status {made}` says how far it is.",
            file=sys.stderr,
        )
        return STARTED
    carry_out(runtime, made, options)
    return print_result(runtime.store, made, options)


def _watch(
    runtime: Runtime, made: BatchId, worker: Worker, shown: BatchProgress, asked: _Asked
) -> Over:
    paused, last = False, None
    while True:
        began = time.monotonic()
        try:
            if asked.pause and not paused:
                runtime.store.batches.pause(made)
                paused = True
                shown.say(
                    "Paused: the rows under way are finished first. Ctrl+C again leaves at once. "
                    f"To go on: python -m fanout batch --resume {id_said(made)}"
                )
            batch = runtime.store.batches.get(made)
            if batch is None:
                raise InputError(DELETED)
            progress = runtime.store.batches.progress(made)
            last = Over(batch=batch, left=progress.left)
            shown.show(batch, progress, worker.notes)
            if asked.now or _over(batch, progress):
                return last
        except StoreError as error:
            if last is None or asked.now:
                raise
            # The worker waits for it as well; what was done is in another place already.
            shown.note(f"{str(error).removesuffix(AGAIN)}{AGAIN}")
        _rest(asked, time.monotonic() - began)


def _rest(asked: _Asked, took_s: float) -> None:
    """Wait for the next look; longer where looking takes long, and no longer than a person does."""
    before, tick = (asked.pause, asked.now), threading.Event()
    until = time.monotonic() + REST * took_s
    tick.wait(LOOK_S)
    while time.monotonic() < until and (asked.pause, asked.now) == before:
        tick.wait(LOOK_S)


def _over(batch: Batch, progress: Progress) -> bool:
    if batch.state is BatchState.RUNNING:
        return False
    return not progress.counts.get(RowState.RUNNING, 0)


@contextmanager
def _signals() -> Iterator[_Asked]:
    asked = _Asked()

    def heard(number: int, _frame: FrameType | None) -> None:
        asked.now = asked.pause or number == signal.SIGTERM
        asked.pause = True

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
