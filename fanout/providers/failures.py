"""Whatever goes wrong with a call, said as a Failure: one function, one table of tests.

Providers hand over what they met (a status, an exception, an ending that is none) and raise what
they get back, so an endpoint, the bundled model and a script fail in the same words. Only what may
well go better a moment later is retryable: limits, overload, connections, answers broken off.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

import httpx2
import openai

from fanout.providers.endless import Endless
from fanout.providers.problems import (
    AddressRefused,
    Asked,
    ErrorInStream,
    Problem,
    Refused,
    Unfinished,
    Unreadable,
    WebPage,
    Wordless,
)
from fanout.providers.quoting import quotable
from fanout.providers.server_error import BadStatus, Said, said_in, status_of
from fanout.spans import about
from fanout.types import Failure, FailureKind

CHECK_KEY = "Check the key on the Models page or in OPENAI_API_KEY."
CHECK_URL = "Check the base URL on the Models page or in OPENAI_BASE_URL: it usually ends in /v1."
CHECK_RUNS = "Check that it runs and that the network is up."


def failure_of(problem: Problem, asked: Asked, *, now: datetime | None = None) -> Failure:
    """Say what went wrong, to whom, and what to do next; `now` is what a Retry-After date is
    counted from where the server's own Date is missing."""
    match problem:
        case BadStatus():
            return _of_status(problem, said_in(problem.body), asked, problem.retry_after_s(now))
        case ErrorInStream():
            said = said_in(json.dumps({"error": problem.error}, default=str))
            return _of_status(BadStatus(status=status_of(said), in_stream=True), said, asked, None)
        case WebPage():
            return _bad(f"A web page answered instead of {asked.endpoint}'s API. {CHECK_URL}")
        case Unreadable():
            return Failure(
                kind=FailureKind.BAD_RESPONSE,
                message=f"{asked.endpoint} sent {problem.what}. Retry this branch. If that does "
                f"not help: {CHECK_URL}",
                retryable=problem.again,
            )
        case Unfinished():
            return _unfinished(problem, asked)
        case Refused():
            return _refused(problem, asked)
        case Wordless():
            return _wordless(problem, asked)
        case Exception():
            return _of_exception(problem, asked)
        case _:
            assert_never(problem)


def _of_status(problem: BadStatus, said: Said, asked: Asked, after_s: float | None) -> Failure:
    name, status = asked.endpoint, problem.status
    quote = _quote(said.message, asked)
    if said.is_quota(status, asked_to_wait=after_s is not None):
        return _final(
            FailureKind.QUOTA,
            f"The credit or quota at {name} is used up.{quote} "
            "Check the plan and billing there, or choose another endpoint.",
        )
    if said.is_unknown_model(status):
        whose = " for this key" if asked.has_key else ""
        return _final(
            FailureKind.UNKNOWN_MODEL,
            f"{name} has no model {asked.model!r}{whose}.{quote} "
            "Choose one from its list on the Models page.",
        )
    if said.is_filtered():
        return _refused(Refused(said=said.message, filtered=True), asked)
    if status == 429:
        wait = f" and asks to wait {about(after_s)}" if after_s else ""
        return _passing(
            FailureKind.RATE_LIMIT,
            f"{name} limits the rate of calls{wait}.{quote} "
            "Run fewer branches at once, or try again later.",
            after_s,
            again=not problem.forbids_retry,
        )
    if status in (401, 403):
        return _of_access(status, quote, asked)
    if status in (408, 409) or status >= 500:
        busy = status in (503, 529) or "overloaded" in said.words
        what = "is overloaded or not ready yet" if busy else "had an error of its own"
        return _passing(
            FailureKind.SERVER,
            f"{name} {what} ({problem.place}).{quote} Try again in a moment.",
            after_s,
            again=not problem.forbids_retry,
        )
    return _of_request(problem, said, quote, asked)


def _of_access(status: int, quote: str, asked: Asked) -> Failure:
    if not asked.has_key:
        message = f"{asked.endpoint} wants a key and none is set.{quote}"
        return _final(
            FailureKind.AUTH, f"{message} Add one on the Models page or in OPENAI_API_KEY."
        )
    what = "did not accept the key" if status == 401 else "does not allow this with the key"
    return _final(FailureKind.AUTH, f"{asked.endpoint} {what}.{quote} {CHECK_KEY}")


def _of_request(problem: BadStatus, said: Said, quote: str, asked: Asked) -> Failure:
    name, status = asked.endpoint, problem.status
    if said.is_too_long() or status == 413:
        return _bad(
            f"The text is too long for {asked.model!r} at {name}.{quote} "
            "Shorten it, or choose another model."
        )
    if 300 <= status < 400:
        return _bad(
            f"{name} answered with a redirect (HTTP {status}), which is not followed so that "
            f"the key stays with its address. {CHECK_URL}"
        )
    if status in (404, 405):
        return _bad(
            f"{name} has nothing at this address (HTTP {status}): the base URL looks wrong. "
            f"{CHECK_URL}"
        )
    return _bad(
        f"{name} did not accept the request ({problem.place}).{quote} "
        "Check the model and its settings."
    )


def _of_exception(problem: Exception, asked: Asked) -> Failure:
    name, host = asked.endpoint, asked.host or "its address"
    for cause in _causes(problem):
        match cause:
            case ssl.SSLError():
                return _final(
                    FailureKind.CONNECTION,
                    f"No safe connection to {name} at {host}. "
                    "Check its certificate, and whether the base URL starts with http or https.",
                )
            case AddressRefused():
                return _final(
                    FailureKind.CONNECTION,
                    f"{name} is at {host}, which leads to a private address, and this Fanout asks "
                    "only public ones for its visitors. Add a public endpoint, or ask whoever runs "
                    "Fanout to name the host in FANOUT_ALLOWED_HOSTS.",
                )
            case socket.gaierror():
                return _lost(
                    f"{host}, the address of {name}, was not found. "
                    "Check the base URL and the network."
                )
            case ConnectionRefusedError():
                return _lost(
                    f"Nothing answers at {host}. "
                    f"Start {name}, or check its base URL on the Models page."
                )
            case httpx2.InvalidURL() | httpx2.UnsupportedProtocol() | UnicodeError():
                return _final(
                    FailureKind.CONNECTION,
                    f"The base URL of {name} is not a valid web address. {CHECK_URL}",
                )
            case Endless():
                return failure_of(Unreadable(what="an answer without end"), asked)
            case httpx2.DecodingError():
                return failure_of(Unreadable(what="bytes that can't be unpacked"), asked)
            case httpx2.ConnectTimeout() | httpx2.PoolTimeout() | httpx2.ConnectError():
                return _lost(f"No connection to {name} at {host}. {CHECK_RUNS}")
            case httpx2.TimeoutException() | openai.APITimeoutError() | TimeoutError():
                return _lost(f"{name} at {host} took too long to answer. {CHECK_RUNS}")
            case httpx2.TransportError() | ConnectionError():
                return _lost(f"The connection to {name} broke off. Retry this branch.")
            case _:
                continue
    if isinstance(problem, openai.APIConnectionError | httpx2.HTTPError | OSError):
        return _lost(f"No connection to {name} at {host}. {CHECK_RUNS}")
    return _final(
        FailureKind.BUG,
        f"Asking {name} met an error that Fanout does not know ({type(problem).__name__}). "
        "Please report it.",
    )


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """An exception and what led to it, the deepest first: that one knows most."""
    chain: list[BaseException] = []
    link: BaseException | None = problem
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for link in reversed(chain):
        if isinstance(link, BaseExceptionGroup):
            for member in link.exceptions:
                yield from _causes(member)
        yield link


def _unfinished(problem: Unfinished, asked: Asked) -> Failure:
    where = "in the middle of its answer" if problem.wrote else "before its first word"
    return _passing(
        FailureKind.TRUNCATED,
        f"{asked.endpoint} stopped {where} without saying that it was done. Retry this branch.",
    )


def _refused(problem: Refused, asked: Asked) -> Failure:
    who = f"The content filter of {asked.endpoint} stopped the answer"
    if not problem.filtered:
        who = f"{asked.model or asked.endpoint} declined"
    return _final(
        FailureKind.REFUSED,
        f"{who}.{_quote(problem.said, asked)} Reword the topic or the prompt, "
        "or choose another model.",
    )


def _wordless(problem: Wordless, asked: Asked) -> Failure:
    if problem.finish_reason == "length":
        return _final(
            FailureKind.EMPTY,
            f"{asked.model} used up its tokens before it wrote a word, as models that reason "
            "first can. Raise the branch's max tokens, or choose another model.",
        )
    return _passing(
        FailureKind.EMPTY,
        f"{asked.model} at {asked.endpoint} answered without a word. "
        "Retry this branch, or choose another model.",
    )


def _quote(message: str, asked: Asked) -> str:
    words = quotable(message, asked.hidden)
    stop = "" if not words or words[-1] in ".!?…" else "."
    return f' It said: "{words}"{stop}' if words else ""


def _lost(message: str) -> Failure:
    return _passing(FailureKind.CONNECTION, message)


def _bad(message: str) -> Failure:
    return _final(FailureKind.BAD_RESPONSE, message)


def _passing(
    kind: FailureKind, message: str, after_s: float | None = None, *, again: bool = True
) -> Failure:
    return Failure(kind=kind, message=message, retryable=again, retry_after_s=after_s)


def _final(kind: FailureKind, message: str) -> Failure:
    return Failure(kind=kind, message=message)
