"""Everything a process needs to run workflows, put together from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from types import TracebackType

from fanout import pricing
from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.errors import FanoutError, SettingsError
from fanout.providers.base import Provider
from fanout.providers.local.provider import LocalProvider
from fanout.providers.local.server import LocalServer
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.settings import Settings
from fanout.types import EndpointId, ModelRef, Price

ASK_AGAIN_S = 30.0
"""An endpoint that listed no models is asked again after this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model that can be chosen for a run."""

    ref: ModelRef
    label: str


class Runtime:
    """The engine, its endpoints and the bundled model; a context manager that ends them all."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.problems: list[str] = []
        """Things to tell the person who installed it; the app works as far as it can."""
        try:
            settings.writable_home()
        except SettingsError as error:
            self.problems.append(str(error))
        self.local = LocalServer(settings.home, settings.local_model or None)
        book = EndpointBook(self._make, settings.home / "endpoints.json")
        book.put(self.local.endpoint)
        if settings.endpoint is not None:
            book.put(settings.endpoint, settings.api_key)
        try:
            book.load()
        except SettingsError as error:
            self.problems.append(str(error))
        self.engine = Engine(book)
        self._lists: dict[EndpointId, tuple[float, tuple[str, ...]]] = {}

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
        """Stop every run, end the bundled model and the loop. Safe to call twice."""
        self.engine.close()

    def chosen_model(self) -> ModelRef:
        """The model of the environment, or the bundled one where nothing is set.

        An endpoint that names no model is asked for its list, and its first one is taken.
        """
        endpoint = self.settings.endpoint
        if endpoint is None:
            bundled = self.engine.endpoints.get(BUNDLED)
            return ModelRef(endpoint=BUNDLED, model=bundled.default_model)
        name = endpoint.default_model or next(iter(self.models(endpoint.id)), "")
        return ModelRef(endpoint=endpoint.id, model=name)

    def warm_up(self) -> None:
        """Start the bundled model in the background, if it is the one that answers."""
        if self.settings.endpoint is None:
            self.engine.soon(self.local.warm_up)

    def use_local_model(self, setting: str) -> None:
        """Let another model answer here: a .gguf path, a Hub name, or "" for the bundled one.

        It is fetched and loaded in the background; `local.state` tells how far it is.
        """
        old, self.local = self.local, LocalServer(self.settings.home, setting or None)
        self.engine.endpoints.put(self.local.endpoint)
        self._lists.pop(BUNDLED, None)
        self.engine.soon(self.local.warm_up)
        if not any(
            call.plan.model.endpoint == BUNDLED and not call.state.finished
            for run in self.engine.runs()
            for call in run.snapshot.calls
        ):
            self.engine.soon(old.aclose)

    def offers(self) -> tuple[Offer, ...]:
        """Every model that can be chosen, the default of each endpoint first."""
        found: list[Offer] = []
        for endpoint in self.engine.endpoints.all():
            names = (endpoint.default_model, *self.models(endpoint.id))
            for name in dict.fromkeys(name for name in names if name):
                ref = ModelRef(endpoint=endpoint.id, model=name)
                label = endpoint.name if endpoint.id == BUNDLED else f"{name} at {endpoint.name}"
                found.append(Offer(ref=ref, label=label))
        return tuple(found)

    def price(self, model: ModelRef) -> Price | None:
        """What that model costs; None if nobody knows."""
        if model.endpoint not in self.engine.endpoints:
            return None
        return pricing.price(self.engine.endpoints.get(model.endpoint), model.model)

    def models(self, endpoint_id: EndpointId, *, fresh: bool = False) -> tuple[str, ...]:
        """The models that an endpoint lists, remembered; none where it can't be asked."""
        asked_at, names = self._lists.get(endpoint_id, (-ASK_AGAIN_S, ()))
        if not fresh and (names or monotonic() - asked_at < ASK_AGAIN_S):
            return names
        try:
            names = self.ask_models(endpoint_id)
        except FanoutError:
            names = ()
        self._lists[endpoint_id] = (monotonic(), names)
        return names

    def ask_models(self, endpoint_id: EndpointId) -> tuple[str, ...]:
        """Ask an endpoint for its models now. ProviderError says what is wrong with it."""
        if endpoint_id == BUNDLED:
            return (self.engine.endpoints.get(BUNDLED).default_model,)
        provider = self.engine.endpoints.provider(ModelRef(endpoint=endpoint_id, model=""))
        assert isinstance(provider, OpenAICompatible)
        return self.engine.call(provider.models)

    def _make(self, endpoint: Endpoint, key: Secret | None) -> Provider:
        if endpoint.id == BUNDLED:
            return LocalProvider(self.local)
        return OpenAICompatible(endpoint, key)
