"""Places for runs in flight: whoever starts a run, or lets one go on, takes one first.

Counting and taking are one step, so that many who press Run in the same moment get as many places
as there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from fanout.bounds import Bounds
from fanout.engine.handle import RunHandle
from fanout.people import PersonId


class Places:
    """May be used from any thread."""

    def __init__(self, bounds: Bounds, runs: Callable[[], Iterable[RunHandle]]) -> None:
        """`runs` are those in memory, of everybody."""
        self._bounds = bounds
        self._runs = runs
        self._taken: list[PersonId] = []
        self._lock = threading.Lock()

    @contextmanager
    def place(self, person: PersonId) -> Iterator[None]:
        """Held until the run is among those in flight. InputError where there is none."""
        with self._lock:
            live = [run.person for run in self._runs() if not run.snapshot.status.finished]
            live += self._taken
            self._bounds.check_runs(live.count(person), len(live))
            self._taken.append(person)
        try:
            yield
        finally:
            with self._lock:
                self._taken.remove(person)

    @contextmanager
    def place_of(self, run: RunHandle) -> Iterator[None]:
        """The same for a run that goes on; one that has not ended has its place."""
        if not run.snapshot.status.finished:
            yield
            return
        with self.place(run.person):
            yield
