"""Places for runs in flight: whoever starts a run, or lets one go on, takes one first.

Counting and taking are one step, in this process and over all that share a database, so that many
who press Run in the same moment get as many places as there are.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from fanout.bounds import Bounds
from fanout.engine.handle import RunHandle
from fanout.errors import StoreError
from fanout.people import PersonId
from fanout.store.values import InFlight

if TYPE_CHECKING:
    from fanout.store.turns import Turns

log = logging.getLogger(__name__)


class Places:
    """May be used from any thread; a place may be left on another one than it was taken on."""

    def __init__(
        self,
        bounds: Bounds,
        runs: Callable[[], Iterable[RunHandle]],
        turns: Turns | None = None,
        written: Callable[[], object] = lambda: None,
    ) -> None:
        """`runs` are those in memory, of everybody; `turns` counts those of other processes, which
        see a run of this one once `written` has returned."""
        self._bounds = bounds
        self._runs = runs
        self._turns = turns
        self._written = written
        self._taken: list[PersonId] = []
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @contextmanager
    def place(self, person: PersonId, admit: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Held until the run is among those in flight. InputError where there is none.

        `admit` is asked in the same turn, and may refuse as well.
        """
        with self._own_turn():
            there = self._elsewhere(person)
            with self._lock:
                self._check(person, there)
                admit()
                self._taken.append(person)
            try:
                yield
            finally:
                with self._lock:
                    self._taken.remove(person)
            # The next in turn, wherever it is, has to find this run in the record.
            self._written()

    @contextmanager
    def place_of(self, run: RunHandle) -> Iterator[None]:
        """The same for a run that goes on; one that has not ended has its place."""
        if _is_row(run) or not run.snapshot.status.finished:
            yield
            return
        with self.place(run.person):
            yield

    def check(self, run: RunHandle) -> None:
        """InputError where there is no place for that run to go on; takes none."""
        if _is_row(run) or not run.snapshot.status.finished:
            return
        there = self._elsewhere(run.person)
        with self._lock:
            self._check(run.person, there)

    def _check(self, person: PersonId, there: InFlight) -> None:
        here = [run for run in self._runs() if not (run.elsewhere or _is_row(run))]
        live = [run.person for run in here if not run.snapshot.status.finished]
        live += self._taken
        self._bounds.check_runs(live.count(person) + there.of_person, len(live) + there.of_all)

    def _elsewhere(self, person: PersonId) -> InFlight:
        """What other processes have in flight; nothing where the record can't be asked, and this
        process counts alone."""
        if self._turns is not None:
            try:
                return self._turns.elsewhere(person)
            except StoreError as error:
                log.warning("runs in flight are counted for this process alone: %s", error)
        return InFlight(of_person=0, of_all=0)

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """Nobody else takes a place meanwhile, where that can be had."""
        if self._turns is None:
            yield
            return
        # One of this process waits at the database for all, so that its connections are left.
        with self._turn, ExitStack() as stack:
            try:
                stack.enter_context(self._turns.turn())
            except StoreError as error:
                log.warning("a place is taken out of turn: %s", error)
            yield


def _is_row(run: RunHandle) -> bool:
    """Rows have their batch's concurrency, and no part in the bounds on single runs."""
    made = run.snapshot.made_with
    return made is not None and made.row is not None
