"""Fanout as one person of many has it: their runs, endpoints, workflows and documents, no others.

A page that holds this can't reach what is somebody else's, whatever it asks for; so pages are
written as if their person were alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock
from time import monotonic

from fanout.budget.own import OwnBudgets
from fanout.engine.belongings import Belongings
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.engine.model_lists import ModelLists
from fanout.engine.own_endpoints import OwnEndpoints
from fanout.engine.pace import Pace
from fanout.engine.runtime import Runtime
from fanout.engine.viewed import ViewedRun
from fanout.errors import StoreError
from fanout.kernel.prefix import PrefixMemory
from fanout.people import NOBODY, Person, PersonId
from fanout.store.store import Store
from fanout.structured.ladder import Ladder
from fanout.types import EndpointId, ModelRef, RowPlace, RunId
from fanout.workflows.definition import Workflow

PEOPLE = "people"
"""The folder in FANOUT_HOME that holds a folder for each person."""


class OwnRuntime(Runtime):
    """A person's view of the process; it is closed with the whole, and never by itself."""

    def __init__(self, whole: Runtime, person: Person, runs_per_hour: int) -> None:
        # Not the whole's constructor: engine, record and local models are there already.
        self.whole = whole
        self.person = person
        self.settings = replace(whole.settings, home=whole.settings.home / PEOPLE / person.id)
        self.usual_ports = {}
        self.store = whole.store.of(person.id)
        self.visitors = None
        self.network = whole.network
        self.telemetry = whole.telemetry
        self.endpoints = OwnEndpoints(whole.engine.endpoints, self._make, lambda: self.person.admin)
        self.engine: Engine = OwnEngine(
            whole,
            person.id,
            self.endpoints,
            self.store,
            Pace(runs_per_hour, self._started_since),
            lambda: self.person.admin,
        )
        self.machine = whole.machine
        self._library = None
        self._opening = Lock()
        self._ladder, self._prefixes = Ladder(), PrefixMemory()
        self._lists = ModelLists(self._ask, whole.engine.soon)
        self._found = (0.0, ())
        self.seen = monotonic()
        """When a page of this person was drawn last."""

    @property
    def problems(self) -> list[str]:  # type: ignore[override]
        """What is wrong with the installation is told to those who can mend it."""
        return self.whole.problems if self.person.admin else []

    @property
    def belongings(self) -> Belongings:
        return Belongings(
            endpoints=self.endpoints,
            library=lambda: self.library,
            ladder=self._ladder,
            prefixes=self._prefixes,
        )

    def close(self) -> None:
        """Close their documents; opened again on need."""
        with self._opening:
            if self._library is not None:
                self._library.close()
                self._library = None

    def leave(self) -> None:
        """They are gone: their endpoints and keys are forgotten, but for calls under way."""
        self.whole.engine.soon(self.endpoints.forget_all().aclose)
        self._lists = ModelLists(self._ask, self.whole.engine.soon)
        self.close()

    def may_change(self, endpoint_id: EndpointId) -> bool:
        """What serves everybody only admins change, until the next start."""
        return self.person.admin or self.endpoints.is_added(endpoint_id)

    def keep_local_model(self) -> None:
        """Nobody brings another model in shared mode, so there is none to give up."""

    def _started_since(self, since: float) -> tuple[float, ...]:
        return self.store.started_since(since)

    def _follow_local(self) -> None:
        self.whole._follow_local()

    async def _ask(self, endpoint_id: EndpointId) -> tuple[str, ...]:
        if endpoint_id in self.whole.engine.endpoints:
            known = self.whole.listing(endpoint_id)
            if known is not None and known.failure is None:
                return known.names
        return await super()._ask(endpoint_id)


class OwnEngine(Engine):
    """Starts and finds runs of one person on the engine of all."""

    def __init__(
        self,
        whole: Runtime,
        person: PersonId,
        endpoints: OwnEndpoints,
        store: Store,
        pace: Pace,
        admin: Callable[[], bool],
    ) -> None:
        # Not the engine's constructor: the loop is the one that runs already.
        self._whole = whole
        self._engine = whole.engine
        self._person = person
        self.endpoints = endpoints
        self._store = self._view = store
        self._pace = pace
        self.scribe = self._engine.scribe
        self.bounds = self._engine.bounds
        self.budgets = OwnBudgets(self._engine.budgets, person, admin)
        self.call = self._engine.call  # type: ignore[method-assign]
        self.soon = self._engine.soon  # type: ignore[method-assign]

    def start(
        self,
        workflow: Workflow,
        topic: str,
        model: ModelRef,
        *,
        sequential: bool = False,
        derived_from: RunId | None = None,
        person: PersonId | None = None,
        run_id: RunId | None = None,
        row: RowPlace | None = None,
        admit: Callable[[], None] | None = None,
    ) -> RunHandle:
        """InputError also where this person has started as many runs as one may in an hour."""
        counted = False

        def paced() -> None:
            nonlocal counted
            self._pace.take()
            counted = True

        try:
            return self._engine.start(
                workflow,
                topic,
                model,
                sequential=sequential,
                derived_from=derived_from,
                person=self._person,
                run_id=run_id,
                row=row,
                admit=paced,
            )
        except BaseException:
            if counted:
                self._pace.give_back()
            raise

    def get(self, run_id: str) -> RunHandle | None:
        """Theirs, or one that is shared, to be looked at; None for all others."""
        own = next((r for r in self.runs() if r.id == run_id), None)
        if own is not None and not own.snapshot.status.finished and not own.outdated:
            return own
        try:
            access = self._whole.store.access(run_id)
        except StoreError:
            return own
        if access is None:
            # Begun a moment ago, and not written down yet.
            return own
        if not access.sees(self._person):
            return None
        handle = self._engine.get(run_id)
        if handle is None or handle.person == self._person:
            return handle
        return ViewedRun(handle, lambda: self._view.access(run_id) is not None)

    def forget(self, run_ids: Iterable[str]) -> None:
        """Only theirs, whichever process carries them out; others' runs are left alone."""
        here = {str(handle.id) for handle in self.runs()}
        self._engine.forget([one for one in run_ids if one in here or self._is_theirs(one)])

    def let_go(self, run_id: str) -> None:
        """Only theirs."""
        if any(handle.id == run_id for handle in self.runs()):
            self._engine.let_go(run_id)

    def book(self, person: PersonId = NOBODY) -> EndpointBook:
        """Theirs, whoever is named."""
        return self.endpoints

    def runs(self) -> tuple[RunHandle, ...]:
        return tuple(r for r in self._engine.runs() if r.person == self._person)

    def _is_theirs(self, run_id: str) -> bool:
        """By the record; where it can't be asked, nothing was deleted there either."""
        try:
            access = self._whole.store.access(run_id)
        except StoreError:
            return False
        return access is not None and access.person == self._person

    @property
    def closed(self) -> bool:
        return self._engine.closed

    def close(self) -> None:
        """The engine of all is closed by the whole."""
