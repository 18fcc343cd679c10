"""The endpoints of one person: everybody's, and beside them what they added themselves.

Theirs and the keys they gave stay in memory and stand in nobody else's book, so no name that
another person writes into a workflow can reach them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.endpoints import EndpointBook, MakeProvider
from fanout.errors import SettingsError
from fanout.providers.base import Provider
from fanout.settings import ENVIRONMENT
from fanout.traffic.gate import EndpointGate
from fanout.traffic.health import EndpointHealth
from fanout.types import EndpointId, ModelRef, RunId


class OwnEndpoints(EndpointBook):
    """What everybody has is asked of the common book, so that its limits hold for all together."""

    def __init__(self, common: EndpointBook, make: MakeProvider, admin: Callable[[], bool]) -> None:
        super().__init__(make)
        self._admin = admin
        self._common = common
        self._own = EndpointBook(make)
        common.beside.append(self)

    def put(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """SettingsError for one of everybody's, as from the three below."""
        self._changed(endpoint.id).put(endpoint, key)

    def add(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        self._changed(endpoint.id).add(endpoint, key)

    def change(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Admins may change how everybody's is asked, but not its key."""
        if endpoint.id in self._common and self._admin() and key is None:
            self._common.change(endpoint)
        else:
            self._changed(endpoint.id).change(endpoint, key)

    def remove(self, endpoint_id: EndpointId) -> None:
        self._changed(endpoint_id).remove(endpoint_id)

    def all(self) -> tuple[Endpoint, ...]:
        return (*self._common.all(), *self._own.all())

    def own(self) -> tuple[Endpoint, ...]:
        """Only what this person added."""
        return self._own.all()

    def get(self, endpoint_id: EndpointId) -> Endpoint:
        return self._holder(endpoint_id).get(endpoint_id)

    def known(self, endpoint_id: EndpointId) -> Endpoint | None:
        return self._holder(endpoint_id).known(endpoint_id)

    def __contains__(self, endpoint_id: object) -> bool:
        return endpoint_id in self._common or endpoint_id in self._own

    def has_key(self, endpoint_id: EndpointId) -> bool:
        return self._holder(endpoint_id).has_key(endpoint_id)

    def is_added(self, endpoint_id: EndpointId) -> bool:
        return self._own.is_added(endpoint_id)

    def provider(self, model: ModelRef) -> Provider:
        return self._holder(model.endpoint).provider(model)

    def gate(self, endpoint_id: EndpointId) -> EndpointGate:
        return self._holder(endpoint_id).gate(endpoint_id)

    def health(self) -> tuple[EndpointHealth, ...]:
        """Of everybody's endpoints how much waits, but not in which runs."""
        common = (replace(one, queued=_unnamed(one.queued)) for one in self._common.health())
        return (*common, *self._own.health())

    def load(self) -> None:
        """Nothing of a person's endpoints is kept on disk."""

    def forget_keys(self) -> None:
        self._own.forget_keys()

    def forget_all(self) -> EndpointBook:
        """Every endpoint of theirs, and every key; what is left to be closed."""
        gone, self._own = self._own, EndpointBook(self._make)
        return gone

    async def aclose(self) -> None:
        await self._own.aclose()

    def _holder(self, endpoint_id: EndpointId) -> EndpointBook:
        return self._common if endpoint_id in self._common else self._own

    def _changed(self, endpoint_id: EndpointId) -> EndpointBook:
        if endpoint_id in (BUNDLED, ENVIRONMENT) or endpoint_id in self._common:
            raise SettingsError(
                "This endpoint was set up for everybody here, so only whoever runs this Fanout "
                "can change it. An endpoint that you add yourself is yours."
            )
        return self._own


def _unnamed(queued: Mapping[RunId, int]) -> Mapping[RunId, int]:
    return {RunId(str(number)): waiting for number, waiting in enumerate(queued.values())}
