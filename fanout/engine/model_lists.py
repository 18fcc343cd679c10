"""Which models each endpoint lists: asked in the background and remembered, refusals too.

A page is drawn many times a minute and an endpoint may take seconds to say that it is not there, so
nothing that draws ever waits for one: it shows what is known, and what is known becomes true soon.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from fanout.errors import ProviderError
from fanout.types import EndpointId, Failure, FailureKind

AGAIN_S = 30.0
"""A list older than this is asked for again when somebody looks at it."""

_UNASKED = Failure(kind=FailureKind.BUG, message="Fanout could not ask it. Please report it.")
Ask = Callable[[EndpointId], Awaitable[tuple[str, ...]]]
Soon = Callable[..., None]
"""`Engine.soon`: starts a coroutine function on the engine's loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What an endpoint said when it was asked last."""

    names: tuple[str, ...] = ()
    """From an earlier answer where this time it gave none."""
    failure: Failure | None = None
    """Why it gave none."""
    asked_at: float


class ModelLists:
    """Safe in any thread; `ask` runs on the engine's loop, at most once at a time per endpoint."""

    def __init__(self, ask: Ask, soon: Soon) -> None:
        self._ask = ask
        self._soon = soon
        self._known: dict[EndpointId, Listing] = {}
        self._asking: dict[EndpointId, object] = {}
        self._changed = threading.Condition()

    def known(self, endpoint_id: EndpointId) -> Listing | None:
        """The last answer; None before the first."""
        with self._changed:
            return self._known.get(endpoint_id)

    def look(self, endpoint_id: EndpointId) -> Listing | None:
        """Like `known`, and asks in the background where nothing is known or it is old."""
        ticket = None
        with self._changed:
            listing = self._known.get(endpoint_id)
            if listing is None or monotonic() - listing.asked_at > AGAIN_S:
                ticket = self._claim(endpoint_id)
        self._begin(endpoint_id, ticket)
        return listing

    def look_at(self, endpoint_ids: Iterable[EndpointId], *, grace_s: float) -> None:
        """Look at all, and give those a moment that are asked now for the first time."""
        with self._changed:
            known = self._known.keys() | self._asking.keys()
        new = [i for i in endpoint_ids if self.look(i) is None and i not in known]
        self.wait(new, grace_s)

    def ask_anew(self, endpoint_id: EndpointId) -> None:
        """Forget what is known, also what is just being asked, and ask again."""
        with self._changed:
            self._known.pop(endpoint_id, None)
            self._asking.pop(endpoint_id, None)
            ticket = self._claim(endpoint_id)
        self._begin(endpoint_id, ticket)

    def forget(self, endpoint_id: EndpointId) -> None:
        with self._changed:
            self._known.pop(endpoint_id, None)
            self._asking.pop(endpoint_id, None)

    def wait(self, endpoint_ids: Iterable[EndpointId], timeout_s: float) -> bool:
        """Block until all of them are known, refusals too; False if time was up before."""
        wanted = set(endpoint_ids)
        with self._changed:
            return self._changed.wait_for(lambda: wanted <= self._known.keys(), timeout_s)

    def _claim(self, endpoint_id: EndpointId) -> object | None:
        """Under the lock; None where it is being asked already."""
        if endpoint_id in self._asking:
            return None
        ticket = self._asking[endpoint_id] = object()
        return ticket

    def _begin(self, endpoint_id: EndpointId, ticket: object | None) -> None:
        """Never under the lock: this waits for the loop, which may be waiting for the lock."""
        if ticket is not None:
            self._soon(self._listen, endpoint_id, ticket)

    async def _listen(self, endpoint_id: EndpointId, ticket: object) -> None:
        names: tuple[str, ...] = ()
        failure: Failure | None = _UNASKED
        try:
            names, failure = await self._ask(endpoint_id), None
        except ProviderError as error:
            failure = error.failure
        finally:
            self._keep(endpoint_id, ticket, names, failure)

    def _keep(
        self,
        endpoint_id: EndpointId,
        ticket: object,
        names: tuple[str, ...],
        failure: Failure | None,
    ) -> None:
        with self._changed:
            if self._asking.get(endpoint_id) is not ticket:
                return
            del self._asking[endpoint_id]
            before = self._known.get(endpoint_id)
            if failure is not None and before is not None:
                names = before.names
            self._known[endpoint_id] = Listing(names=names, failure=failure, asked_at=monotonic())
            self._changed.notify_all()
