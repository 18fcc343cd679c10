"""What is said in a batch's lines, and what came back in them, as one endpoint means it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from fanout.errors import ProviderError
from fanout.providers.answer import Answer
from fanout.providers.base import ChatRequest, StreamItem
from fanout.providers.batch_api.answers import BatchAnswer
from fanout.providers.batch_api.remote import JobError
from fanout.providers.chat_fields import messages_of, settings_of
from fanout.providers.dialect import Dialect, Dialects
from fanout.providers.failures import failure_of
from fanout.providers.form_refusal import provider_error
from fanout.providers.problems import Asked, Unreadable
from fanout.providers.server_error import BadStatus
from fanout.redaction import without
from fanout.types import Failure

KNOWN = frozenset({"api.openai.com"})
"""Hosts that are known to have a Batch API, and how they want to be asked."""


class Wording:
    """Asks nobody anything."""

    def __init__(self, asked: Asked, dialects: Dialects) -> None:
        self._asked = asked
        self._dialects = dialects

    @property
    def name(self) -> str:
        """The endpoint's, as messages say it."""
        return self._asked.endpoint

    def body(self, request: ChatRequest) -> dict[str, object]:
        """A request as it stands in a line."""
        settings = settings_of(request, self._dialect(request.model))
        return {"model": request.model, "messages": messages_of(request), **settings}

    def learn(self, request: ChatRequest, answer: BatchAnswer) -> bool:
        """Whether a refusal taught how to ask that model, so that asking again makes sense."""
        refusal = BadStatus(status=answer.status, body=answer.body)
        return self._dialects.learn(request, self._dialect(request.model), refusal)

    def items(self, request: ChatRequest, answer: BatchAnswer) -> Iterator[StreamItem]:
        """The answer as a stream would have brought it. Raises ProviderError."""
        prompts = tuple(message.content for message in request.messages)
        asked = replace(
            self._asked,
            model=request.model,
            in_form=request.response_format is not None,
            hidden=(*self._asked.hidden, *prompts),
        )
        if answer.failure is not None:
            raise ProviderError(answer.failure)
        if answer.status != 200:
            raise provider_error(BadStatus(status=answer.status, body=answer.body), asked)
        if not answer.body.startswith("{"):
            raise provider_error(Unreadable(what="JSON that is no chat completion"), asked)
        whole = Answer(asked)
        for piece in (whole.feed(answer.body.encode()), whole.flush(), whole.released()):
            if piece is not None:
                yield piece
        yield whole.done()

    def failure(self, error: JobError, model: str) -> Failure:
        """Why a batch failed as a whole, as any other refusal."""
        fields = {"message": error.message, "code": error.code}
        body = json.dumps({"error": fields})
        asked = replace(self._asked, model=model)
        return failure_of(BadStatus(status=400, body=body), asked)

    def clean(self, answer: BatchAnswer) -> BatchAnswer:
        """Without the key, should the endpoint repeat it; before it is kept."""
        return replace(answer, body=without(answer.body, self._asked.key))

    def _dialect(self, model: str) -> Dialect:
        """OpenAI's own takes the newer name for every model: a wrong guess would cost a job."""
        known = self._dialects.of(model)
        return replace(known, max_completion_tokens=True) if self._asked.host in KNOWN else known
