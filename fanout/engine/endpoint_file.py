"""The endpoints that people added, kept in FANOUT_HOME between starts, without their keys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from pydantic import TypeAdapter

from fanout.endpoint import BUNDLED, Endpoint
from fanout.errors import SettingsError
from fanout.policies import EndpointPolicy
from fanout.settings import ENVIRONMENT
from fanout.types import EndpointId, Price

OWN_PRICE = "your own price"
_POLICY = TypeAdapter(EndpointPolicy)


class EndpointFile:
    """One JSON file. A file that can't be read is never overwritten, only set aside."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._damaged = False

    def load(self) -> tuple[Endpoint, ...]:
        """What was kept; SettingsError, and no change, if the file can't be used."""
        try:
            text = self._path.read_text(encoding="utf-8")
            return tuple(_from_row(row) for row in json.loads(text))
        except FileNotFoundError:
            return ()
        except NotADirectoryError:
            # FANOUT_HOME itself is told about elsewhere.
            return ()
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            self._damaged = True
            raise SettingsError(
                f"{self._path.name} in FANOUT_HOME can't be read, so the endpoints added earlier "
                "are missing. Mend or delete the file and start again; nothing in it was changed, "
                f"and the next change sets it aside as {self._aside.name}."
            ) from None

    def save(self, endpoints: Iterable[Endpoint]) -> None:
        """Write them all, or nothing: SettingsError where there is no room or no permission."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(".part")
            partial.write_text(json.dumps([_to_row(e) for e in endpoints], indent=1), "utf-8")
            if self._damaged:
                self._path.replace(self._aside)
                self._damaged = False
            partial.replace(self._path)
        except OSError as error:
            raise SettingsError(
                f"This works now but could not be kept in FANOUT_HOME: {error.strerror}. Free some "
                "space or correct FANOUT_HOME; otherwise do it again after the next start."
            ) from None

    @property
    def _aside(self) -> Path:
        return self._path.with_name(f"{self._path.stem}.damaged.json")


def _to_row(endpoint: Endpoint) -> dict[str, object]:
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "base_url": endpoint.base_url,
        "slots": endpoint.slots,
        "on_this_machine": endpoint.on_this_machine,
        "default_model": endpoint.default_model,
        "embedding_model": endpoint.embedding_model,
        "policy": asdict(endpoint.policy),
        "prices": {
            model: [str(price.input), str(price.output)] for model, price in endpoint.prices.items()
        },
    }


def _from_row(row: dict[str, object]) -> Endpoint:
    prices = row.get("prices") or {}
    if row["id"] in (BUNDLED, ENVIRONMENT) or not isinstance(prices, dict):
        raise ValueError("not an added endpoint")
    return Endpoint(
        id=EndpointId(str(row["id"])),
        name=str(row["name"]),
        base_url=str(row["base_url"]),
        slots=max(1, int(str(row["slots"]))),
        on_this_machine=row["on_this_machine"] is True,
        default_model=str(row["default_model"]),
        # Files of earlier versions have neither.
        embedding_model=str(row.get("embedding_model") or ""),
        policy=_POLICY.validate_python(row.get("policy") or {}),
        prices={
            str(model): Price(input=Decimal(pair[0]), output=Decimal(pair[1]), source=OWN_PRICE)
            for model, pair in prices.items()
        },
    )
