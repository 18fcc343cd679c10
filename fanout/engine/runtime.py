"""Everything a process needs to run workflows, put together from its settings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import monotonic
from types import TracebackType

from anyio.to_thread import run_sync

from fanout import pricing, redaction
from fanout.budget.budgets import Budgets, worst_usd_by
from fanout.budget.caps import Caps, DayCaps
from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.insides import sources_of
from fanout.engine.local_models import LocalModels
from fanout.engine.model_lists import Listing, ModelLists
from fanout.engine.openings import awaited_store, opened_place, opened_post, opened_store
from fanout.engine.visitors import Visitors
from fanout.errors import FanoutError, LocalModelError, SettingsError, StoreError
from fanout.people import NOBODY, PersonId
from fanout.providers.base import Provider
from fanout.providers.discovery import USUAL_PORTS, FoundServer, find_local_servers
from fanout.providers.local.server import LocalServer
from fanout.providers.network import Network
from fanout.providers.openai_compatible import MODELS_S, OpenAICompatible
from fanout.retrieval.library import Library
from fanout.settings import ENVIRONMENT, Settings
from fanout.store.store import Store
from fanout.telemetry.telemetry import telemetry
from fanout.types import EndpointId, ModelRef, Price
from fanout.workflows.library import shipped

log = logging.getLogger(__name__)

GRACE_S = 0.25
"""How long a page waits for the first list of a new endpoint: servers nearby answer by then."""
LOOK_AROUND_S = 10.0
"""How long the servers found on this machine are believed to be all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model that can be chosen for a run."""

    ref: ModelRef
    label: str


class Runtime:
    """The engine, its endpoints and the local models; a context manager that ends them all."""

    def __init__(
        self,
        settings: Settings,
        problems: Iterable[str] = (),
        *,
        store: Store | None = None,
        models: Path | None = None,
    ) -> None:
        """`store` is a record that was opened for it; `models` is the home of local models, where
        that isn't the settings' own."""
        redaction.install()
        self.settings = settings
        self.problems = list(problems)
        """Things to tell the person who installed it; the app works as far as it can."""
        self.usual_ports: Mapping[int, str] = USUAL_PORTS
        """Where servers of this machine are looked for, and whose port it usually is."""
        self.network = Network(settings.allowed_hosts) if settings.shared else None
        """Which hosts people's endpoints may lie at; None: any."""
        place = opened_place(settings, self.problems)
        book = EndpointBook(self._make, settings.home / "endpoints.json", place)
        self.store = store or opened_store(settings, self.problems)
        self.visitors = Visitors(self) if settings.shared else None
        """Where several people use this Fanout, a view for each; None: it is one person's."""
        self.telemetry = telemetry(
            settings,
            lambda: {workflow.name for workflow in shipped().workflows},
            sources_of(self),
        )
        """What operators see: traces, metrics, logs."""
        self.problems.extend(self.telemetry.problems)
        self.engine = Engine(
            book,
            library=lambda: self.library,
            store=self.store,
            belongings=self.visitors.belongings if self.visitors is not None else None,
            budgets=Budgets(
                worst_usd_by(book.known),
                ledger=self.store.spend,
                caps=Caps(
                    settings.home / "budget.json",
                    fixed=DayCaps(everyone=settings.day_budget, person=settings.person_budget),
                ),
            ),
            bounds=settings.bounds,
            post=opened_post(settings, self.store),
            witness=self.telemetry.witness if self.telemetry.witness else None,
        )
        self._library: Library | None = None
        self._opening = Lock()
        self.machine = LocalModels(
            models or settings.home, settings.local_model, runs=self.engine.runs
        )
        book.put(self.local.endpoint)
        # Made now, so that closing the book ends the model also where no run ever asked it.
        book.provider(ModelRef(endpoint=BUNDLED, model=""))
        if settings.endpoint is not None:
            book.put(settings.endpoint, settings.api_key)
        # What somebody added alone was not meant for everybody.
        for check in (settings.writable_home, *(() if settings.shared else (book.load,))):
            try:
                check()
            except SettingsError as error:
                self.problems.append(str(error))
        self._lists = ModelLists(self._ask, self.engine.soon)
        self._found: tuple[float, tuple[FoundServer, ...]] = (-LOOK_AROUND_S, ())

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, object] | None = None,
    ) -> Runtime:
        """Comes up whatever is said of an endpoint; what can't be used of it is in `problems`.

        `secrets` is a secrets file that was read. SettingsError where shared mode, budgets or
        bounds can't be read: those have no safe way to be left out; and where the PostgreSQL that
        was named can't be used, after a while in which it is tried again.
        """
        settings, problem = Settings.usable(environment, secrets)
        return cls(settings, [problem] if problem else [], store=awaited_store(settings))

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every run, the local models and the loop. Safe to call twice."""
        self.engine.close()
        self.telemetry.close()
        if self.visitors is not None:
            self.visitors.close()
        self.store.close()
        with self._opening:
            if self._library is not None:
                self._library.close()
                self._library = None

    @property
    def library(self) -> Library:
        """The documents that research runs search; opened, with the sample ones, on first need.

        SettingsError if FANOUT_HOME can't hold them.
        """
        with self._opening:
            if self._library is None:
                self.settings.writable_home()
                self._library = Library(self.settings.home / "library.db")
                self._library.sample()
            return self._library

    def _open_library(self) -> None:
        try:
            _ = self.library
        except FanoutError as error:
            self.problems.append(str(error))

    def _end_interrupted(self) -> None:
        """Runs whose process is gone can be resumed from now on; what was left beside the record
        of others is dropped."""
        try:
            self.store.interrupt()
            self.store.provider_jobs.requests.sweep()
        except StoreError as error:
            log.warning("runs that were interrupted are not marked yet: %s", error)

    @property
    def local(self) -> LocalServer:
        """The model on this machine that answers."""
        return self.machine.server

    def warm_up(self) -> None:
        """Begin in the background what the first visitor needs: the model, and models' names."""
        self.problems.extend(self.telemetry.serve())
        if self.settings.endpoint is None:
            self.engine.soon(self.machine.warm_up)
        self.engine.soon(run_sync, self._open_library)
        self.engine.soon(run_sync, self._end_interrupted)
        others = [e.id for e in self.engine.endpoints.all() if e.id != BUNDLED]
        self._lists.look_at(others, grace_s=0)

    def use_local_model(self, setting: str) -> None:
        """Let another model answer here: a .gguf path, a Hub name, or "" for the bundled one.

        It is fetched and loaded in the background, and the old one answers until it is ready:
        `machine.coming` tells how far it is, `machine.problem` why it did not come.
        LocalModelError where it can be seen at once that it can't be loaded, and in shared mode.
        """
        if self.settings.shared:
            raise LocalModelError(
                "The model of this machine serves everybody here, so only FANOUT_MODEL chooses it. "
                "Ask whoever runs this Fanout, or choose another endpoint."
            )
        self.machine.bring(setting, self.engine.soon, self._change_local)

    def keep_local_model(self) -> None:
        """Stop bringing another model."""
        self.machine.give_up(self.engine.soon)

    def chosen_model(self) -> ModelRef:
        """The model of the environment, or the bundled one where nothing is set.

        An endpoint that names no model is asked for its list, and its first one is taken; that may
        take MODELS_S, so a page asks `fitting_model`.
        """
        model = self.fitting_model()
        if not model.model:
            self._lists.look(model.endpoint)
            self._lists.wait((model.endpoint,), MODELS_S + 1)
        return self.fitting_model()

    def fitting_model(self, last: ModelRef | None = None) -> ModelRef:
        """One of `offers`: of the endpoint that was chosen `last` where that is still known, so
        that a choice follows its endpoint to another model. Its name is "" until one is known."""
        book = self.engine.endpoints
        known = (last.endpoint if last is not None else "", ENVIRONMENT, BUNDLED)
        endpoint = book.get(next(EndpointId(i) for i in known if i in book))
        return ModelRef(endpoint=endpoint.id, model=endpoint.default_model)

    def offers(self) -> tuple[Offer, ...]:
        """Every model that can be chosen, the default of each endpoint first. Never waits long."""
        self._follow_local()
        endpoints = self.engine.endpoints.all()
        self._lists.look_at([e.id for e in endpoints if e.id != BUNDLED], grace_s=GRACE_S)
        return tuple(offer for endpoint in endpoints for offer in self._offers_of(endpoint.id))

    def price(self, model: ModelRef) -> Price | None:
        """What that model costs; None if nobody knows."""
        if model.endpoint not in self.engine.endpoints:
            return None
        return pricing.price(self.engine.endpoints.get(model.endpoint), model.model)

    def listing(self, endpoint_id: EndpointId) -> Listing | None:
        """What an endpoint lists, or why it doesn't; None while it is asked for the first time."""
        return self._lists.look(endpoint_id)

    def check(self, endpoint_id: EndpointId, wait_s: float = GRACE_S) -> Listing | None:
        """Ask an endpoint anew; None where it has not answered within `wait_s`, then see `listing`.

        The answer comes within MODELS_S, if only to say that there is none.
        """
        self._lists.ask_anew(endpoint_id)
        self._lists.wait((endpoint_id,), wait_s)
        return self._lists.known(endpoint_id)

    def forget(self, endpoint_id: EndpointId) -> None:
        """Remove an endpoint. SettingsError: it is gone, but comes back with a restart."""
        self._lists.forget(endpoint_id)
        self.engine.endpoints.remove(endpoint_id)

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return any(not handle.snapshot.status.finished for handle in self.engine.runs())

    @property
    def in_use(self) -> bool:
        """Whether a run or a batch may need what was typed here; also where that can't be told."""
        try:
            return self.busy or bool(self.store.batches.open())
        except StoreError:
            return True

    def browser_closed(self, person: PersonId = NOBODY) -> bool:
        """Forget the keys that somebody typed here; False while a run or a batch needs them."""
        if self.visitors is not None:
            return self.visitors.browser_closed(person)
        if self.in_use:
            return False
        self.engine.endpoints.forget_keys()
        return True

    def found_servers(self, *, fresh: bool = False) -> tuple[FoundServer, ...]:
        """The model servers that run on this machine, each asked within half a second; in shared
        mode none, since they are not the visitors'."""
        if self.settings.shared:
            return ()
        looked_at, found = self._found
        if fresh or monotonic() - looked_at > LOOK_AROUND_S:
            found = self.engine.call(find_local_servers, self.usual_ports)
            self._found = (monotonic(), found)
        return found

    def _offers_of(self, endpoint_id: EndpointId) -> Iterable[Offer]:
        book = self.engine.endpoints
        if endpoint_id not in book:
            return
        endpoint = book.get(endpoint_id)
        listing = self._lists.known(endpoint_id)
        names = [endpoint.default_model, *(listing.names if listing else ())]
        for name in dict.fromkeys(filter(None, names)) or ("",):
            label = f"{name or 'its first model'} at {endpoint.name}"
            if endpoint_id == BUNDLED:
                label = endpoint.name
            yield Offer(ref=ModelRef(endpoint=endpoint_id, model=name), label=label)

    def _follow_local(self) -> None:
        """A model's full name is known only once its file is here."""
        now = self.local.endpoint
        if self.engine.endpoints.get(BUNDLED).name != now.name:
            self._change_local(now)

    def _change_local(self, now: Endpoint) -> None:
        """New facts about the local model; what people set for it stays."""
        book = self.engine.endpoints
        book.change(replace(now, policy=book.get(BUNDLED).policy))

    async def _ask(self, endpoint_id: EndpointId) -> tuple[str, ...]:
        book = self.engine.endpoints
        provider = book.provider(ModelRef(endpoint=endpoint_id, model=""))
        assert isinstance(provider, OpenAICompatible)
        names = await provider.models()
        if names and endpoint_id in book and not book.get(endpoint_id).default_model:
            with suppress(SettingsError):
                book.change(replace(book.get(endpoint_id), default_model=names[0]))
        return names

    def _make(self, endpoint: Endpoint, key: Secret | None) -> Provider:
        if endpoint.id == BUNDLED:
            return self.machine
        # What the environment names was chosen by whoever runs this, not by a visitor.
        chosen_here = endpoint.id == ENVIRONMENT
        return OpenAICompatible(endpoint, key, None if chosen_here else self.network)
