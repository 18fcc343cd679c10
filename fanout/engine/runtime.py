"""Everything a process needs to run workflows, put together from its settings."""

from __future__ import annotations

from types import TracebackType

from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.errors import FanoutError, SettingsError
from fanout.providers.base import Provider
from fanout.providers.local.provider import LocalProvider
from fanout.providers.local.server import LocalServer
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.settings import Settings, bundled_endpoint
from fanout.types import EndpointId, ModelRef


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
        book.put(bundled_endpoint(slots=self.local.slots))
        if settings.endpoint is not None:
            book.put(settings.endpoint, settings.api_key)
        try:
            book.load()
        except SettingsError as error:
            self.problems.append(str(error))
        self.engine = Engine(book)

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
            return ModelRef(endpoint=BUNDLED, model=self.engine.endpoints.get(BUNDLED).default_model)
        name = endpoint.default_model or next(iter(self.models(endpoint.id)), "")
        return ModelRef(endpoint=endpoint.id, model=name)

    def models(self, endpoint_id: EndpointId) -> tuple[str, ...]:
        """The models that an endpoint lists; none where it can't be asked."""
        endpoint = self.engine.endpoints.get(endpoint_id)
        if endpoint_id == BUNDLED:
            return (endpoint.default_model,)
        provider = self.engine.endpoints.provider(ModelRef(endpoint=endpoint_id, model=""))
        try:
            assert isinstance(provider, OpenAICompatible)
            return self.engine.call(provider.models)
        except FanoutError:
            return ()

    def _make(self, endpoint: Endpoint, key: Secret | None) -> Provider:
        if endpoint.id == BUNDLED:
            return LocalProvider(self.local)
        return OpenAICompatible(endpoint, key)
