"""What the openai package raises, taken as the problems that `failures` knows."""

from __future__ import annotations

import httpx2
import openai

from fanout.errors import ProviderError
from fanout.providers.failures import failure_of
from fanout.providers.problems import Asked
from fanout.providers.server_error import BadStatus

EXPECTED = (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)


def status_of(problem: openai.APIStatusError) -> BadStatus:
    response = problem.response
    return BadStatus(
        status=response.status_code, headers=dict(response.headers), body=response.text[:20_000]
    )


def failed(problem: Exception, asked: Asked) -> ProviderError:
    """The same as an error for the kernel."""
    said = status_of(problem) if isinstance(problem, openai.APIStatusError) else problem
    rates = said.rates if isinstance(said, BadStatus) else None
    return ProviderError(failure_of(said, asked), rates)
