"""Which browser tabs are open: a key that was typed in one is kept no longer than they are.

A tab is a Streamlit session; a refresh makes another one, so nobody counts as gone before a while.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from fanout.people import PersonId

log = logging.getLogger(__name__)

AWAY_S = 120.0
"""After so long without an open tab a browser counts as closed."""
LOOK_S = 15.0


class Tabs:
    """May be used from any thread."""

    def __init__(
        self, is_open: Callable[[str], bool], now: Callable[[], float] = monotonic
    ) -> None:
        """`is_open` knows whether the session of that id has its browser at the other end."""
        self._is_open = is_open
        self._now = now
        self._seen: dict[PersonId, tuple[set[str], float]] = {}
        self._lock = threading.Lock()

    def here(self, person: PersonId, session: str) -> None:
        """That person looks at a page in this session."""
        with self._lock:
            sessions = self._seen.get(person, (set(), 0.0))[0]
            self._seen[person] = (sessions | {session}, self._now())

    def away(self) -> tuple[PersonId, ...]:
        """Whose browser has been closed for long enough."""
        with self._lock:
            for person, (sessions, seen) in list(self._seen.items()):
                still = {one for one in sessions if self._is_open(one)}
                self._seen[person] = (still, self._now() if still else seen)
            return tuple(
                person
                for person, (sessions, seen) in self._seen.items()
                if not sessions and self._now() - seen >= AWAY_S
            )

    def forget(self, person: PersonId) -> None:
        """Nothing of them is left to tidy, until they come again."""
        with self._lock:
            if not self._seen.get(person, (set(), 0.0))[0]:
                self._seen.pop(person, None)


class Tidying:
    """A thread that has what was typed forgotten when its browser is closed."""

    def __init__(self, tabs: Tabs, forget: Callable[[PersonId], bool]) -> None:
        """`forget` does so for one person; False where something of theirs still needs it."""
        self._tabs = tabs
        self._forget = forget
        self._closed = threading.Event()
        threading.Thread(target=self._tidy, name="fanout-tabs", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _tidy(self) -> None:
        while not self._closed.wait(LOOK_S):
            try:
                for person in self._tabs.away():
                    if self._forget(person):
                        self._tabs.forget(person)
            except Exception:
                log.exception("looking after closed tabs")
