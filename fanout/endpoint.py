"""Where models answer: an OpenAI-compatible server, what it allows and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fanout.policies import EndpointPolicy
from fanout.redaction import learn
from fanout.types import EndpointId, Price

BUNDLED = EndpointId("local")
"""The id of the bundled model's endpoint."""


class Secret:
    """An API key that shows itself to nobody who prints, logs, pickles or formats it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        learn(value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret is never serialised")

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One OpenAI-compatible server. Holds no key: keys travel beside it as `Secret`."""

    id: EndpointId
    name: str
    """As the screen says it, such as "SmolLM2 135M on this machine"."""
    base_url: str
    """Ends in /v1 on most servers; empty for the bundled model, which finds its own port."""
    slots: int = 8
    """Calls that may run at the same time, over all runs of this process."""
    on_this_machine: bool = False
    """True where branches share this machine's processors: free, but they slow each other down."""
    default_model: str = ""
    embedding_model: str = ""
    """Which of its models turns texts into vectors; empty where it is not asked for any."""
    policy: EndpointPolicy = field(default_factory=EndpointPolicy)
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Own prices by model name; "*" is for every other model."""

    @property
    def host(self) -> str:
        """Host and port, without user, path or query: all of the address that a record keeps."""
        try:
            parts = urlsplit(self.base_url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        return f"{parts.hostname or ''}{port}"
