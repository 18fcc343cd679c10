"""A request's fields as one model of one server wants them, but for streaming."""

from __future__ import annotations

from fanout.providers.base import ChatRequest
from fanout.providers.dialect import Dialect
from fanout.providers.schema_keywords import without


def messages_of(request: ChatRequest) -> list[dict[str, object]]:
    return [{"role": said.role, "content": said.content} for said in request.messages]


def settings_of(request: ChatRequest, dialect: Dialect) -> dict[str, object]:
    """Everything beside the model and the messages."""
    fields: dict[str, object] = {}
    if dialect.temperature and request.temperature is not None:
        fields["temperature"] = request.temperature
    if request.max_tokens is not None:
        limit = "max_completion_tokens" if dialect.max_completion_tokens else "max_tokens"
        fields[limit] = request.max_tokens
    fields |= request.extra
    if request.response_format is not None:
        fields["response_format"] = without(request.response_format, dialect.without_limits)
    return fields
