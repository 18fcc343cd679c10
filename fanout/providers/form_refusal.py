"""Telling "not in this form" from every other refusal, so that the question is asked another way.

Servers have no common code for it: some say which value they don't know, some that a schema can't
be compiled (llama.cpp with a 500 until lately), OpenAI that the word "JSON" is missing in the
prompt. What they share is that they name the thing they stumble over.
"""

from __future__ import annotations

import json
import re

from fanout.errors import FormRefused, ProviderError
from fanout.providers.failures import failure_of
from fanout.providers.problems import Asked, ErrorInStream, Problem
from fanout.providers.quoting import quotable
from fanout.providers.server_error import BadStatus, said_in, status_of
from fanout.types import Failure, FailureKind

_STATUSES = frozenset({400, 404, 415, 422, 500, 501})
_NAMED = re.compile(
    r"""
    response[-_ ]?(?:format|schema|mime) | text\.format | output_format
    | json[-_ ]?(?:schema|object|mode) | structured[-_ ]output | additional_?properties
    | must\ contain\ the\ word | guided_ | constrained | \bgrammar\b | requested\ parameters
    | json_validate_failed | failed\ to\ (?:generate|validate)\ json
    """,
    re.VERBOSE,
)


def refuses_form(refusal: BadStatus) -> bool:
    """Whether an error status, answering a request with a response_format, is about that."""
    said = said_in(refusal.body)
    if refusal.status not in _STATUSES or said.is_filtered() or said.is_too_long():
        return False
    return _NAMED.search(said.words) is not None


def provider_error(problem: Problem, asked: Asked) -> ProviderError:
    """What a provider raises: FormRefused for the form's sake, else `failure_of` in its error."""
    status = _status(problem)
    if asked.in_form and status is not None and refuses_form(status):
        return FormRefused(_failure(status, asked), status.rates)
    rates = problem.rates if isinstance(problem, BadStatus) else None
    return ProviderError(failure_of(problem, asked), rates)


def _status(problem: Problem) -> BadStatus | None:
    match problem:
        case BadStatus():
            return problem
        case ErrorInStream():
            body = json.dumps({"error": problem.error}, default=str)
            return BadStatus(status=status_of(said_in(body)), body=body, in_stream=True)
        case _:
            return None


def _failure(refusal: BadStatus, asked: Asked) -> Failure:
    words = quotable(said_in(refusal.body).message, asked.hidden)
    quote = f' It said: "{words}"' if words else ""
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"{asked.endpoint} does not take the form that {asked.model!r} should answer in "
        f"({refusal.place}).{quote} Choose another model, or retry this branch.",
    )
