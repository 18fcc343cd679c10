"""Writes every run down while it happens: one thread, a second behind at most.

What ended is written at once, text once a second: the end of a branch brings the rest of its own
run along, and no other run. A database that can't be written now loses nothing: the events stay in
memory and are tried again, and the people are told meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import TYPE_CHECKING

from fanout.errors import FanoutError, StoreConflict
from fanout.events import RunResumed
from fanout.kernel.recorder import HOLD_S, Recorder
from fanout.store.values import Update
from fanout.types import RunId

if TYPE_CHECKING:
    from fanout.store.store import Store

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Longest time that text waits to be written."""
AGAIN_S = 2.0
"""Between two tries on a database that can't be written."""
GATHER_S = 0.005
"""What ends within this time is written in one transaction: an end and the vote read from it."""
LAST_WORDS_S = 1.0
"""How long the end of the process waits for the database, if it can't wait longer."""
LAST_TRIES_S = 0.25
"""Between two tries then."""


class Scribe:
    """The journal of all runs of a process. Any thread may tell it news."""

    def __init__(
        self,
        store: Store,
        went_on: Callable[[RunId], None] = lambda _run_id: None,
        left: Callable[[Recorder], None] = lambda _recorder: None,
    ) -> None:
        """`went_on` is told of each run that had ended and goes on, once that is written; `left` of
        each that the record went on without."""
        self._store = store
        self._went_on = went_on
        self._left = left
        self._unwritten: dict[int, Recorder] = {}
        self._pressing: set[int] = set()
        """Those of them that can't wait for the next second."""
        self._whole = True
        """The next turn writes everything."""
        self._lock = threading.Lock()
        self._urgent = threading.Event()
        self._wrote = threading.Condition()
        self._closing = False
        self._last_s = LAST_WORDS_S
        self._turns = 0
        self._logged = ""
        self.problem = ""
        """Why the newest events aren't written down, for the screen; "" where they are."""
        self._thread = threading.Thread(target=self._write_on, name="fanout-scribe", daemon=True)
        self._thread.start()

    def news(self, recorder: Recorder, *, urgent: bool) -> None:
        with self._lock:
            self._unwritten[id(recorder)] = recorder
            if urgent:
                self._pressing.add(id(recorder))
        if urgent:
            self._urgent.set()

    def flush(self, timeout_s: float) -> bool:
        """Write everything now; whether all that was known when this was called is written."""
        until = monotonic() + timeout_s
        with self._wrote:
            # The turn that is under way may have looked before the newest event.
            begun = self._turns
            wanted = begun + 2
            self._press()
            while self._turns < wanted and self._thread.is_alive():
                left = until - monotonic()
                # What can't be written now is not waited for a second time.
                if left <= 0 or (self.problem and self._turns > begun):
                    return False
                self._press()
                self._wrote.wait(min(left, 0.05))
        return not self.problem

    def close(self, within_s: float = LAST_WORDS_S) -> None:
        """Write what there is, trying again for a while if need be, and end the thread."""
        self._last_s = max(LAST_WORDS_S, within_s)
        self._closing = True
        self._urgent.set()
        self._thread.join(self._last_s)

    def _press(self) -> None:
        """Write everything soon."""
        self._whole = True
        self._urgent.set()

    def _write_on(self) -> None:
        due = monotonic()
        while not self._closing:
            if self._urgent.wait(max(0.0, due - monotonic())):
                sleep(GATHER_S)
            self._urgent.clear()
            if self._turn(whole=monotonic() >= due):
                due = monotonic() + (AGAIN_S if self.problem else EVERY_S)
        until = monotonic() + self._last_s - 2 * LAST_TRIES_S
        self._turn(whole=True)
        while self._unwritten and monotonic() < until:
            sleep(LAST_TRIES_S)
            self._turn(whole=True)

    def _turn(self, *, whole: bool) -> bool:
        """Write what presses, or everything; returns whether it was everything."""
        # While something can't be written, only all of it together shows that it can be again.
        whole = whole or self._whole or bool(self.problem)
        with self._lock:
            pressing, self._pressing = self._pressing, set()
            if whole:
                self._whole = False
                recorders, self._unwritten = list(self._unwritten.values()), {}
            else:
                found = (self._unwritten.pop(key, None) for key in pressing)
                recorders = [one for one in found if one is not None]
        problem = self._written_down(recorders)
        try:
            self._store.beat()
        except Exception as error:
            problem = problem or self._told(error)
        if not problem:
            self._logged = ""
        # Only now: one run that can't be written is not made good by another that can.
        self.problem = problem
        with self._wrote:
            self._turns += whole
            self._wrote.notify_all()
        return whole

    def _written_down(self, recorders: Sequence[Recorder]) -> str:
        """In one transaction; what is wrong with one run is found alone, and holds up no other."""
        news = [(one, *one.unwritten()) for one in recorders if not one.overtaken]
        updates = {
            one: Update(snapshot=snapshot, events=events, first=one.filed, person=one.person)
            for one, snapshot, events in news
            if events
        }
        if not updates:
            return ""
        try:
            self._store.write(tuple(updates.values()))
        except Exception as error:
            expected = isinstance(error, FanoutError) and not isinstance(error, StoreConflict)
            if len(updates) == 1 or expected:
                # A full disk or a locked database is no better for one run alone.
                problems = [self._refused(one, error) for one in updates]
            else:
                problems = [self._written_down([one]) for one in updates]
            return next(filter(None, problems), "")
        for one, update in updates.items():
            one.edition = self._store.edition
            one.hold_s = HOLD_S
            one.kept += len(update.events)
            one.filed += len(update.events)
            one.written(one.kept)
            if any(isinstance(event, RunResumed) for event in update.events):
                self._went_on(update.snapshot.run_id)
        return ""

    def _refused(self, one: Recorder, error: Exception) -> str:
        """What to tell people, after seeing to it that the run is tried again where that helps."""
        if isinstance(error, StoreConflict) and one.edition != self._store.edition:
            # Another file took the place of the one that held its beginning: told from the first.
            one.edition, one.kept, one.filed, one.shift = self._store.edition, 0, 0, 0
            return self._written_down([one])
        if isinstance(error, StoreConflict):
            log.warning("not written down: %s", error)
            one.leave()
            self._left(one)
            return ""
        one.hold_s = 0.0
        with self._lock:
            self._unwritten[id(one)] = one
        one.written(one.kept + len(one.unwritten()[1]))
        return self._told(error)

    def _told(self, error: Exception) -> str:
        """An expected failure in its own words, logged once; of a bug the log says more."""
        if not isinstance(error, FanoutError):
            log.error("writing runs down", exc_info=error)
            return "Runs can't be written down; the log says why."
        if self._logged != str(error):
            self._logged = str(error)
            log.warning("not written down: %s", error)
        return str(error)
