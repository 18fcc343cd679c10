"""The record of every run: one object to open, write to, read from and ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from pathlib import Path

from fanout.errors import StoreError
from fanout.events import Event
from fanout.people import NOBODY, PersonId
from fanout.store import interruption, reading, sharing
from fanout.store.batches import Batches
from fanout.store.database import reading as looking
from fanout.store.estimates import Estimates
from fanout.store.history import History
from fanout.store.journal import Journal
from fanout.store.opening import Opened, in_memory, open_database
from fanout.store.owners import Owners
from fanout.store.provider_jobs import ProviderJobs
from fanout.store.spend import Spend
from fanout.store.turns import Turns
from fanout.store.values import Access, Label, Later, Standing, StoredRun, Update
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
        self.turns = Turns(self._engine, self._owners)
        """Counts what is in flight over all processes, one at a time."""
        self.history = History(self._engine)
        """Finds runs, sums them up, deletes them, and keeps what people write on them."""
        self.verdicts = Verdicts(self._engine)
        """What people found better without knowing which was which."""
        self.spend = Spend(self._engine, kept=self.kept)
        """What each day cost, and what is set aside of it."""
        self.estimates = Estimates(self._engine)
        """What earlier runs say about the next one."""
        self.batches = Batches(self._engine, alive=self._owners.alive)
        """One workflow on many topics: what was asked for and what came of it."""
        self.provider_jobs = ProviderJobs(self._engine, self._owners)
        """What was handed over to a provider's Batch API."""
        self._person: PersonId | None = None
        self._closed = False

    def of(self, person: PersonId) -> Store:
        """The same record as one person sees it: their runs, and those that are shared.

        It is closed with this one, and never by itself.
        """
        own = copy(self)
        own._person, own._closed = person, True
        own.history = History(self._engine, person)
        own.verdicts = Verdicts(self._engine, person)
        own.estimates = Estimates(self._engine, person)
        own.batches = Batches(self._engine, person, self._owners.alive)
        return own

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
        if self._person is not None:
            updates = [replace(one, person=self._person) for one in updates]
        self._journal.write(updates, imported=imported)

    @property
    def person(self) -> PersonId | None:
        """Whose view this is; None: everybody's."""
        return self._person

    @property
    def owner(self) -> str:
        """The id of this process among those that have the record open."""
        return self._owners.id

    def alive(self, owner: str) -> bool:
        """Whether the process of that id still has the record open. StoreError."""
        with looking(self._engine) as connection:
            return self._owners.alive(connection, owner)

    @property
    def edition(self) -> int:
        """Counts the files that took another's place under this process; see `file_watch`."""
        return 0 if self._watch is None else self._watch.edition

    def beat(self) -> None:
        """Say that this process lives; call it every few seconds, it seldom does anything."""
        self._owners.beat()

    def load(self, run_id: str) -> StoredRun | None:
        """A whole run, deleted ones too; None if there is none of that id. StoreError."""
        # First, so that a run that isn't theirs to see takes no longer than one that never was.
        if not self._sees(run_id):
            return None
        stored = reading.load(self._engine, self._owners, run_id)
        if stored is None or self._person in (None, stored.person):
            return stored
        # What its person wrote on a run is not shared with it.
        return replace(stored, label=Label())

    def later(self, run_id: str, known: int) -> Later | None:
        """What was written of a run beyond its first `known` events; None if there is no such run.

        StoreError.
        """
        if not self._sees(run_id):
            return None
        return reading.later(self._engine, self._owners, run_id, known)

    def standing(self, run_id: str) -> Standing | None:
        """How far the record of a run goes; None if there is none of that id. StoreError."""
        return reading.standing(self._engine, run_id) if self._sees(run_id) else None

    def access(self, run_id: str) -> Access | None:
        """Who may see a run; None if there is none of that id to be seen. StoreError."""
        found = sharing.access(self._engine, run_id)
        if found is None or self._person is None or found.sees(self._person):
            return found
        return None

    def share(self, run_id: str, shared: bool) -> None:
        """Open a run's link to everybody who is signed in, or close it; for its person only.

        InputError where it is not theirs; StoreError.
        """
        sharing.share(self._engine, run_id, self._person or NOBODY, shared)

    def started_since(self, since: float) -> tuple[float, ...]:
        """When this person's runs began, from that Unix time on, oldest first. StoreError."""
        return sharing.started_since(self._engine, self._person or NOBODY, since)

    def sign_out(self, person: PersonId, at: float) -> None:
        """Only a sign-in later than that Unix time counts, wherever they are. StoreError."""
        sharing.sign_out(self._engine, person, at)

    def signed_out_at(self, person: PersonId) -> float:
        """Unix time; 0 for who never did. StoreError."""
        return sharing.signed_out_at(self._engine, person)

    def events_since(self, run_id: str, first: int) -> tuple[Event, ...]:
        """The events of a run, as `load` gives them, from the `first`-th on. StoreError."""
        stored = self.load(run_id)
        return () if stored is None else stored.events[first:]

    def claim(self, run_id: str) -> bool:
        """Make this process the owner of a run that goes on; False while another is at work on it,
        or where there is none. StoreError."""
        return self._owns(run_id) and interruption.claim(self._engine, self._owners, run_id)

    def interrupt(self) -> tuple[RunId, ...]:
        """End the runs whose process is gone; the ids of those that ended now. StoreError."""
        return interruption.interrupt(self._engine, self._owners)

    def _sees(self, run_id: str) -> bool:
        return self._person is None or self.access(run_id) is not None

    def _owns(self, run_id: str) -> bool:
        if self._person is None:
            return True
        found = self.access(run_id)
        return found is not None and found.person == self._person

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
