"""The record of every run: one object to open, write to, read from and ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fanout.errors import StoreError
from fanout.events import Event
from fanout.store import interruption, reading
from fanout.store.history import History
from fanout.store.journal import Journal
from fanout.store.opening import Opened, in_memory, open_database
from fanout.store.owners import Owners
from fanout.store.values import Standing, StoredRun, Update
from fanout.store.verdicts import Verdicts
from fanout.types import RunId


class Store:
    """All methods may be called from any thread, and by several processes on one database.

    A StoreError says that the database can't be used now; nothing was half done, and the same call
    may work in a moment. No call waits for another writer for more than a second.
    """

    def __init__(self, opened: Opened, home: Path | None) -> None:
        self.problems = opened.problems
        """What whoever installed it should know, such as a damaged database set aside."""
        self.kept = opened.kept
        """False where everything is gone with the process."""
        self._engine = opened.engine
        self._watch = opened.watch
        self._owners = Owners(self._engine, home)
        self._journal = Journal(self._engine, self._owners)
        self.history = History(self._engine)
        """Finds runs, sums them up, deletes them, and keeps what people write on them."""
        self.verdicts = Verdicts(self._engine)
        """What people found better without knowing which was which."""
        self._closed = False

    @classmethod
    def open(cls, home: Path, url: str = "") -> Store:
        """SQLite in `home`, or the PostgreSQL at `url`. SettingsError: a newer database, a server
        that can't be reached. A `home` that can't be written gives a store in memory."""
        opened = open_database(home, url)
        return cls(opened, home if opened.kept else None)

    @classmethod
    def in_memory(cls) -> Store:
        """Gone with the process."""
        return cls(in_memory(), None)

    def write(self, updates: Sequence[Update], *, imported: bool = False) -> None:
        """What is new of some runs, in one transaction: all or nothing. StoreError.

        Written twice is written once; news with a hole before it is refused. `imported` marks runs
        that are new here as brought from elsewhere.
        """
        self._journal.write(updates, imported=imported)

    @property
    def edition(self) -> int:
        """Counts the files that took another's place under this process; see `file_watch`."""
        return 0 if self._watch is None else self._watch.edition

    def beat(self) -> None:
        """Say that this process lives; call it every few seconds, it seldom does anything."""
        self._owners.beat()

    def load(self, run_id: str) -> StoredRun | None:
        """A whole run, deleted ones too; None if there is none of that id. StoreError."""
        return reading.load(self._engine, self._owners, run_id)

    def standing(self, run_id: str) -> Standing | None:
        """How far the record of a run goes; None if there is none of that id. StoreError."""
        return reading.standing(self._engine, run_id)

    def events_since(self, run_id: str, first: int) -> tuple[Event, ...]:
        """The events of a run, as `load` gives them, from the `first`-th on. StoreError."""
        stored = self.load(run_id)
        return () if stored is None else stored.events[first:]

    def claim(self, run_id: str) -> bool:
        """Make this process the owner of a run that goes on; False while another is at work on it,
        or where there is none. StoreError."""
        return interruption.claim(self._engine, self._owners, run_id)

    def interrupt(self) -> tuple[RunId, ...]:
        """End the runs whose process is gone; the ids of those that ended now. StoreError."""
        return interruption.interrupt(self._engine, self._owners)

    def close(self) -> None:
        """Sign off and close every connection. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        with suppress(StoreError):
            self._owners.close()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
