"""What stands in metrics for an endpoint and its model: few words, none that a visitor typed."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from fanout.types import ModelRef

MOST_MODELS = 100
"""Each is some forty series, which stay until the process ends."""
OWN = "own"
"""Of an endpoint that isn't everybody's, and of its models."""
OTHER = "other"
"""A model that never answered, as one misspelt, or one more than `MOST_MODELS`."""

DefaultModel = Callable[[str], str | None]
"""Of an endpoint's id; None where it isn't everybody's, "" where it has no default."""


class Labels:
    """A model is named once it has answered; the default of its endpoint at once."""

    def __init__(self, default_model: DefaultModel) -> None:
        self._default_model = default_model
        self._named: set[ModelRef] = set()
        self._lock = Lock()

    def endpoint(self, model: ModelRef) -> str:
        return OWN if self._default_model(model.endpoint) is None else model.endpoint

    def of(self, model: ModelRef, *, answered: bool) -> tuple[str, str]:
        """The endpoint's label and the model's."""
        default = self._default_model(model.endpoint)
        if default is None:
            return OWN, OWN
        with self._lock:
            if (answered or model.model == default) and len(self._named) < MOST_MODELS:
                self._named.add(model)
            return model.endpoint, model.model if model in self._named else OTHER
