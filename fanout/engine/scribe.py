"""Writes every run down while it happens: one thread, a second behind at most.

What ended is written at once, text once a second. A database that can't be written now loses
nothing: the events stay in memory and are tried again, and the people are told meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from fanout.errors import FanoutError, StoreConflict
from fanout.kernel.recorder import Recorder
from fanout.store.values import Update

if TYPE_CHECKING:
    from fanout.store.store import Store

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Longest time that text waits to be written."""
AGAIN_S = 2.0
"""Between two tries on a database that can't be written."""
LAST_WORDS_S = 5.0
"""How long the end of the process waits for the database."""


class Scribe:
    """The journal of all runs of a process. Any thread may tell it news."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten: dict[int, Recorder] = {}
        self._lock = threading.Lock()
        self._urgent = threading.Event()
        self._wrote = threading.Condition()
        self._closing = False
        self._turns = 0
        self.problem = ""
        """Why the newest events aren't written down, for the screen; "" where they are."""
        self._thread = threading.Thread(target=self._write_on, name="fanout-scribe", daemon=True)
        self._thread.start()

    def news(self, recorder: Recorder, *, urgent: bool) -> None:
        with self._lock:
            self._unwritten[id(recorder)] = recorder
        if urgent:
            self._urgent.set()

    def flush(self, timeout_s: float) -> bool:
        """Write everything now; whether all that was known when this was called is written."""
        until = monotonic() + timeout_s
        with self._wrote:
            # The turn that is under way may have looked before the newest event.
            wanted = self._turns + 2
            self._urgent.set()
            while self._turns < wanted and self._thread.is_alive():
                left = until - monotonic()
                if left <= 0:
                    return False
                self._urgent.set()
                self._wrote.wait(min(left, 0.05))
        return not self.problem

    def close(self) -> None:
        """Write what there is and end the thread."""
        self._closing = True
        self._urgent.set()
        self._thread.join(LAST_WORDS_S)

    def _write_on(self) -> None:
        while not self._closing:
            self._urgent.wait(AGAIN_S if self.problem else EVERY_S)
            self._urgent.clear()
            self._turn()
        self._turn()

    def _turn(self) -> None:
        with self._lock:
            recorders, self._unwritten = list(self._unwritten.values()), {}
        try:
            if recorders:
                self._write(recorders)
            self._store.beat()
        except Exception:
            log.exception("writing runs down")
            self._put_back(recorders, "Runs can't be written down; the log says why.")
        with self._wrote:
            self._turns += 1
            self._wrote.notify_all()

    def _write(self, recorders: Sequence[Recorder]) -> None:
        """In one transaction; where that fails each alone, so that no run holds up another."""
        news = [(one, *one.unwritten()) for one in recorders if not one.overtaken]
        updates = {
            one: Update(snapshot=snapshot, events=events, first=one.filed)
            for one, snapshot, events in news
            if events
        }
        try:
            if updates:
                self._store.write(tuple(updates.values()))
        except FanoutError as error:
            if len(updates) > 1:
                for one in updates:
                    self._write([one])
                return
            log.warning("not written down: %s", error)
            if isinstance(error, StoreConflict):
                self._give_up(updates)
            else:
                self._put_back(list(updates), str(error))
            return
        self.problem = ""
        for one, update in updates.items():
            one.kept += len(update.events)
            one.filed += len(update.events)
            one.written(one.kept)

    def _give_up(self, recorders: Iterable[Recorder]) -> None:
        """Trying again won't help: the run was purged, or another process went on with it."""
        for one in recorders:
            one.overtaken = True
            one.written(one.kept + len(one.unwritten()[1]))

    def _put_back(self, recorders: Iterable[Recorder], problem: str) -> None:
        """To be tried again; until then people see what happens all the same."""
        self.problem = problem
        for one in recorders:
            with self._lock:
                self._unwritten[id(one)] = one
            one.written(one.kept + len(one.unwritten()[1]))
