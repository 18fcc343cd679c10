"""The endpoints that a process knows: the bundled model, the environment's, and added ones.

Keys live here, in memory, bound to the endpoint they were given for and so to its address, which
never changes; everything else about an added endpoint is kept in FANOUT_HOME, so that only the key
is asked for again after a restart.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.endpoint_file import EndpointFile
from fanout.errors import ProviderError
from fanout.providers.base import Provider
from fanout.settings import ENVIRONMENT
from fanout.traffic.gate import EndpointGate
from fanout.traffic.health import EndpointHealth
from fanout.traffic.lane import Place
from fanout.types import EndpointId, Failure, FailureKind, ModelRef

MakeProvider = Callable[[Endpoint, Secret | None], Provider]


@dataclass(slots=True)
class _Entry:
    endpoint: Endpoint
    key: Secret | None = None
    provider: Provider | None = None
    gate: EndpointGate | None = None


class EndpointBook:
    """Read from any thread; providers are made, and they and gates used, on the engine's loop."""

    def __init__(
        self, make: MakeProvider, file: Path | None = None, place: Place | None = None
    ) -> None:
        """`place` is where several processes keep rates and pauses together; see traffic.shared."""
        self._make = make
        self._place = place
        self._file = EndpointFile(file) if file is not None else None
        self._entries: dict[EndpointId, _Entry] = {}
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._added: set[EndpointId] = set()
        self._replaced: list[Provider] = []
        self.beside: list[EndpointBook] = []
        """Books that are closed along with this one."""

    def put(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Add an endpoint, or take its place; calls that are under way keep the old one."""
        with self._lock:
            self._set_aside(self._entries.get(endpoint.id))
            self._entries[endpoint.id] = _Entry(endpoint, key)

    def add(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Like `put`, and remembered without its key. SettingsError: it works, but wasn't kept."""
        self.put(endpoint, key)
        self._added.add(endpoint.id)
        self._save()

    def change(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Put new facts about a known endpoint; without a new key its old one stays.

        SettingsError: changed, but not kept. ValueError for another address: a key that was given
        for one server must never be sent to another, so that is a new endpoint.
        """
        with self._lock:
            entry = self._entries[endpoint.id]
            if endpoint.base_url != entry.endpoint.base_url:
                raise ValueError("an endpoint keeps its address, which its key was given for")
            entry.endpoint = endpoint
            gate = entry.gate
            if key:
                self._set_aside(entry)
                entry.key, entry.provider = key, None
        if gate is not None:
            # Not under the lock, which the engine's loop may be waiting for.
            gate.reshape(endpoint)
        if endpoint.id in self._added:
            self._save()

    def remove(self, endpoint_id: EndpointId) -> None:
        """Forget it and its key. SettingsError: it is gone now, but comes back with a restart."""
        with self._lock:
            self._set_aside(self._entries.pop(endpoint_id, None))
        self._added.discard(endpoint_id)
        self._save()

    def forget_keys(self) -> None:
        """Of endpoints that people added here; those stay, and calls under way end as they are."""
        with self._lock:
            for added in self._added:
                entry = self._entries.get(added)
                if entry is not None and entry.key:
                    self._set_aside(entry)
                    entry.key = entry.provider = None

    def all(self) -> tuple[Endpoint, ...]:
        with self._lock:
            return tuple(entry.endpoint for entry in self._entries.values())

    def get(self, endpoint_id: EndpointId) -> Endpoint:
        """The endpoint; KeyError if it is unknown."""
        return self._entries[endpoint_id].endpoint

    def known(self, endpoint_id: EndpointId) -> Endpoint | None:
        """The same; None if it is unknown."""
        entry = self._entries.get(endpoint_id)
        return entry.endpoint if entry is not None else None

    def __contains__(self, endpoint_id: object) -> bool:
        return endpoint_id in self._entries

    def has_key(self, endpoint_id: EndpointId) -> bool:
        return bool(self._entries[endpoint_id].key)

    def is_added(self, endpoint_id: EndpointId) -> bool:
        """True for those a person added here, which can be removed again."""
        return endpoint_id in self._added

    def free_id(self, name: str) -> EndpointId:
        """An id made of a name that no endpoint has, nor one of those that may come back."""
        base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "endpoint"
        taken = {BUNDLED, ENVIRONMENT, *(endpoint.id for endpoint in self.all())}
        number = next(n for n in range(1, len(taken) + 2) if _numbered(base, n) not in taken)
        return _numbered(base, number)

    def provider(self, model: ModelRef) -> Provider:
        with self._lock:
            entry = self._entry(model.endpoint)
            if entry.provider is None:
                entry.provider = self._make(entry.endpoint, entry.key)
            return entry.provider

    def gate(self, endpoint_id: EndpointId) -> EndpointGate:
        with self._lock:
            return self._gate(self._entry(endpoint_id))

    def health(self) -> tuple[EndpointHealth, ...]:
        """How each endpoint is doing, those that were never asked included; from any thread."""
        with self._lock:
            gates = [self._gate(entry) for entry in self._entries.values()]
        return tuple(gate.health() for gate in gates)

    def resolve(self, name: str, chosen: ModelRef) -> ModelRef:
        """A definition's model name: empty is the run's choice, "endpoint/name" names another."""
        if not name:
            return chosen
        endpoint, slash, model = name.partition("/")
        if slash and endpoint in self:
            return ModelRef(endpoint=EndpointId(endpoint), model=model)
        return ModelRef(endpoint=chosen.endpoint, model=name)

    def load(self) -> None:
        """Read the added endpoints; SettingsError, and no change, if the file can't be used."""
        for endpoint in self._file.load() if self._file is not None else ():
            self.put(endpoint)
            self._added.add(endpoint.id)

    async def aclose(self) -> None:
        with self._lock:
            providers = [entry.provider for entry in self._entries.values() if entry.provider]
            providers += self._replaced
        for book in tuple(self.beside):
            await book.aclose()
        for provider in providers:
            await provider.aclose()
        if self._place is not None:
            self._place.close()

    def _set_aside(self, entry: _Entry | None) -> None:
        """Its answers under way go on, so it is closed with the book."""
        if entry is not None and entry.provider is not None:
            self._replaced.append(entry.provider)

    def _entry(self, endpoint_id: EndpointId) -> _Entry:
        entry = self._entries.get(endpoint_id)
        if entry is None:
            raise ProviderError(
                Failure(kind=FailureKind.UNKNOWN_MODEL, message=_not_here(endpoint_id))
            )
        return entry

    def _gate(self, entry: _Entry) -> EndpointGate:
        if entry.gate is None:
            entry.gate = EndpointGate(entry.endpoint, self._place)
        return entry.gate

    def _save(self) -> None:
        if self._file is None:
            return
        with self._saving:
            self._file.save(e for e in self.all() if e.id in self._added)


def _not_here(endpoint_id: EndpointId) -> str:
    if endpoint_id == ENVIRONMENT:
        return (
            "This branch asks the endpoint of the environment, and none is set now. Set "
            "OPENAI_BASE_URL or OPENAI_API_KEY and start Fanout again, or run the topic anew "
            "with another model."
        )
    return (
        f'There is no endpoint "{endpoint_id}" here. Add it on the Models page under that name, '
        "or choose another model."
    )


def _numbered(base: str, number: int) -> EndpointId:
    return EndpointId(base if number == 1 else f"{base}-{number}")
