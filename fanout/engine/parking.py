"""Which runs go through a provider's batch, and whether an endpoint has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Lock
from typing import TYPE_CHECKING

import anyio

from fanout.engine.collecting import Collecting
from fanout.engine.collector import Collector
from fanout.engine.endpoints import EndpointBook
from fanout.engine.execution import SharedCalls
from fanout.engine.parked import Batching, ParkedCalls, patient
from fanout.errors import ProviderError, SettingsError
from fanout.kernel.recorder import Recorder
from fanout.policies import Policies
from fanout.types import EndpointId, ModelRef, RowPlace, Via

if TYPE_CHECKING:
    from fanout.engine.engine import Engine
    from fanout.store.store import Store

ASKED_S = 5.0
"""How long an endpoint may take to say whether it has a Batch API."""


class Parking:
    """One of each engine; all methods may be called from any thread but the engine's own."""

    def __init__(
        self, store: Store | None, soon: Callable[[Callable[[], Awaitable[None]]], None]
    ) -> None:
        """`soon` starts something on the engine's loop."""
        self._store = store
        self._soon = soon
        self.pace = Collecting()
        """Counts for a collector that is yet to start."""
        self._collector: Collector | None = None
        self._lock = Lock()
        self._known: dict[tuple[EndpointId, str], bool] = {}

    def policies(self, policies: Policies, row: RowPlace | None) -> Policies:
        """Those that a run is carried out by."""
        return patient(policies) if row is not None and row.via is Via.PROVIDER else policies

    def view(self, calls: SharedCalls, recorder: Recorder) -> SharedCalls:
        """How a run sees the process. SettingsError where a batch needs a record and there is
        none."""
        made = recorder.snapshot.made_with
        if made is None or made.row is None or made.row.via is not Via.PROVIDER:
            return calls
        return ParkedCalls(
            calls.endpoints, calls.search, calls.ladder, self._started(), recorder.person
        )

    async def offered(self, book: EndpointBook, endpoint: EndpointId) -> bool:
        """Whether an endpoint has a Batch API; on the engine's loop. What it said is remembered,
        but not that it didn't answer."""
        known = book.known(endpoint)
        if known is None:
            return False
        at = (endpoint, known.base_url)
        if at not in self._known:
            provider = book.provider(ModelRef(endpoint=endpoint, model=""))
            if not isinstance(provider, Batching):
                return False
            try:
                with anyio.fail_after(ASKED_S):
                    self._known[at] = await provider.offers_batches()
            except (ProviderError, TimeoutError):
                return False
        return self._known[at]

    async def aclose(self) -> None:
        """On the engine's loop, once no run waits any more and before its endpoints are closed."""
        if self._collector is not None:
            await self._collector.aclose()

    def _started(self) -> Collector:
        if self._store is None:
            raise SettingsError(
                "A provider's batch is answered hours later, so it needs a record of runs, and "
                "there is none here."
            )
        with self._lock:
            if self._collector is None:
                self._collector = Collector(self._store.provider_jobs, self.pace)
                self._soon(self._collector.run)
            return self._collector


def batch_api_at(engine: Engine, book: EndpointBook, endpoint: EndpointId) -> bool:
    """Whether an endpoint of a book has a Batch API; from any thread but the engine's own.

    Asks it, for ASKED_S at most, where that is not known; False too where it doesn't answer now.
    """
    return engine.call(engine.parking.offered, book, endpoint)
