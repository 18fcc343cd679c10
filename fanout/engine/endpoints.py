"""The endpoints that a process knows: the bundled model, the environment's, and added ones.

Keys live here, in memory, bound to the endpoint they were given for; everything else about an
added endpoint is kept in FANOUT_HOME, so that only the key is asked for again after a restart.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import anyio

from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.errors import ProviderError, SettingsError
from fanout.providers.base import Provider
from fanout.types import EndpointId, Failure, FailureKind, ModelRef, Price

MakeProvider = Callable[[Endpoint, Secret | None], Provider]


@dataclass(slots=True)
class _Entry:
    endpoint: Endpoint
    key: Secret | None = None
    provider: Provider | None = None
    limiter: anyio.CapacityLimiter | None = None


class EndpointBook:
    """Read from any thread; providers and limiters are made and used on the engine's loop."""

    def __init__(self, make: MakeProvider, file: Path | None = None) -> None:
        self._make = make
        self._file = file
        self._entries: dict[EndpointId, _Entry] = {}
        self._lock = threading.Lock()
        self._added: set[EndpointId] = set()
        self._replaced: list[Provider] = []

    def put(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Add an endpoint, or change it; runs that are under way keep the old one."""
        with self._lock:
            old = self._entries.get(endpoint.id)
            if old is not None and old.provider is not None:
                self._replaced.append(old.provider)
            self._entries[endpoint.id] = _Entry(endpoint, key)

    def add(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Like `put`, and remembered in FANOUT_HOME without its key."""
        self.put(endpoint, key)
        self._added.add(endpoint.id)
        self._save()

    def change(self, endpoint: Endpoint, key: Secret | None = None) -> None:
        """Put new facts about a known endpoint; without a new key its old one stays."""
        self.put(endpoint, key or self._entries[endpoint.id].key)
        if endpoint.id in self._added:
            self._save()

    def remove(self, endpoint_id: EndpointId) -> None:
        with self._lock:
            entry = self._entries.pop(endpoint_id, None)
            if entry is not None and entry.provider is not None:
                self._replaced.append(entry.provider)
        self._added.discard(endpoint_id)
        self._save()

    def all(self) -> tuple[Endpoint, ...]:
        return tuple(entry.endpoint for entry in list(self._entries.values()))

    def get(self, endpoint_id: EndpointId) -> Endpoint:
        """The endpoint; KeyError if it is unknown."""
        return self._entries[endpoint_id].endpoint

    def __contains__(self, endpoint_id: object) -> bool:
        return endpoint_id in self._entries

    def has_key(self, endpoint_id: EndpointId) -> bool:
        return bool(self._entries[endpoint_id].key)

    def is_added(self, endpoint_id: EndpointId) -> bool:
        """True for those a person added here, which can be removed again."""
        return endpoint_id in self._added

    def provider(self, model: ModelRef) -> Provider:
        entry = self._entry(model.endpoint)
        if entry.provider is None:
            entry.provider = self._make(entry.endpoint, entry.key)
        return entry.provider

    def slots(self, endpoint_id: EndpointId) -> anyio.CapacityLimiter:
        entry = self._entry(endpoint_id)
        if entry.limiter is None:
            entry.limiter = anyio.CapacityLimiter(entry.endpoint.slots)
        return entry.limiter

    def resolve(self, name: str, chosen: ModelRef) -> ModelRef:
        """A definition's model name: empty is the run's choice, "endpoint/name" names another."""
        if not name:
            return chosen
        endpoint, slash, model = name.partition("/")
        if slash and endpoint in self._entries:
            return ModelRef(endpoint=EndpointId(endpoint), model=model)
        return ModelRef(endpoint=chosen.endpoint, model=name)

    def load(self) -> None:
        """Read the added endpoints; SettingsError, and no change, if the file can't be used."""
        if self._file is None or not self._file.exists():
            return
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            endpoints = [_from_row(row) for row in rows]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            raise SettingsError(
                f"{self._file.name} in FANOUT_HOME can't be read, so the endpoints added earlier "
                "are missing. Mend or delete the file; nothing in it was changed."
            ) from None
        for endpoint in endpoints:
            self.put(endpoint)
            self._added.add(endpoint.id)

    async def aclose(self) -> None:
        providers = [entry.provider for entry in self._entries.values() if entry.provider]
        for provider in [*providers, *self._replaced]:
            await provider.aclose()

    def _entry(self, endpoint_id: EndpointId) -> _Entry:
        entry = self._entries.get(endpoint_id)
        if entry is None:
            raise ProviderError(
                Failure(
                    kind=FailureKind.UNKNOWN_MODEL,
                    message=f'There is no endpoint "{endpoint_id}" any more. '
                    "Choose another model for this branch.",
                )
            )
        return entry

    def _save(self) -> None:
        if self._file is None:
            return
        rows = [_to_row(self._entries[i].endpoint) for i in sorted(self._added & {*self._entries})]
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial = self._file.with_suffix(".part")
            partial.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            partial.replace(self._file)
        except OSError as error:
            raise SettingsError(
                f"The endpoint works now but could not be kept in FANOUT_HOME: {error.strerror}. "
                "Free some space, or add it again after the next start."
            ) from None


def _to_row(endpoint: Endpoint) -> dict[str, object]:
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "base_url": endpoint.base_url,
        "slots": endpoint.slots,
        "on_this_machine": endpoint.on_this_machine,
        "default_model": endpoint.default_model,
        "prices": {
            model: [str(price.input), str(price.output)] for model, price in endpoint.prices.items()
        },
    }


def _from_row(row: dict[str, object]) -> Endpoint:
    prices = row.get("prices") or {}
    if row["id"] == BUNDLED or not isinstance(prices, dict):
        raise ValueError("not an added endpoint")
    return Endpoint(
        id=EndpointId(str(row["id"])),
        name=str(row["name"]),
        base_url=str(row["base_url"]),
        slots=int(str(row["slots"])),
        on_this_machine=row["on_this_machine"] is True,
        default_model=str(row["default_model"]),
        prices={
            str(model): Price(
                input=Decimal(pair[0]), output=Decimal(pair[1]), source="your own price"
            )
            for model, pair in prices.items()
        },
    )
