"""What one server calls a request's fields, learnt from the 400 it answers with.

Servers agree on the protocol but not on all of it: some refuse `stream_options`, OpenAI's reasoning
models want `max_completion_tokens`, only their own temperature, and schemas without limits. Asking
them once is surer than a table of names that is old next month. What is learnt lasts as long as the
provider.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fanout.providers.base import ChatRequest
from fanout.providers.schema_keywords import refused_limits
from fanout.providers.server_error import BadStatus, said_in

_UNWANTED = (
    "unsupported",
    "not support",
    "only the default",
    "deprecated",
    "not permitted",
    "unrecognized",
    "extra",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How to say a request to one model of one server."""

    stream_options: bool = True
    temperature: bool = True
    max_completion_tokens: bool = False
    """Whether this is what `max_tokens` is called."""
    without_limits: frozenset[str] = frozenset()
    """Keywords that a schema may not have, such as maxLength."""

    def after(self, refusal: BadStatus, request: ChatRequest) -> Dialect:
        """The dialect that the refusal asks for; this very one where it is about something else."""
        words = said_in(refusal.body).words
        if refusal.status not in (400, 422):
            return self
        if "stream_options" in words and self.stream_options:
            return replace(self, stream_options=False)
        if "max_completion_tokens" in words and request.max_tokens is not None:
            return replace(self, max_completion_tokens=True)
        unwanted = any(word in words for word in _UNWANTED)
        if "temperature" in words and unwanted and request.temperature is not None:
            return replace(self, temperature=False)
        limits = refused_limits(words, request.response_format or {})
        return replace(self, without_limits=self.without_limits | limits)


class Dialects:
    """The dialects of one server: `stream_options` is the server's affair, the rest the model's."""

    def __init__(self) -> None:
        self._stream_options = True
        self._of_models: dict[str, Dialect] = {}

    def of(self, model: str) -> Dialect:
        known = self._of_models.get(model, Dialect())
        return known if self._stream_options else replace(known, stream_options=False)

    def learn(self, request: ChatRequest, tried: Dialect, refusal: BadStatus) -> bool:
        """Whether the refusal taught something, so that asking again makes sense."""
        better = tried.after(refusal, request)
        self._stream_options = self._stream_options and better.stream_options
        self._of_models[request.model] = better
        return better != tried
