"""The failure table: whatever goes wrong has one kind, says what to do, and tells no secret."""

from __future__ import annotations

import json
import re
import socket
import ssl
from datetime import UTC, datetime

import httpx2
import openai
import pytest

from fanout.providers.failures import failure_of
from fanout.providers.problems import (
    Asked,
    ErrorInStream,
    Problem,
    Refused,
    Unfinished,
    Unreadable,
    WebPage,
    Wordless,
)
from fanout.providers.server_error import BadStatus
from fanout.types import FailureKind as Kind

KEY = "sk-proj-Zm9vYmFyYmF6cXV4"
ASKED = Asked(endpoint="Acme AI", model="big-1", host="api.acme.test", hidden=(KEY,))
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REQUEST = httpx2.Request("POST", "http://api.acme.test/v1/chat/completions")


def status(
    number: int, message: str = "", *, code: str = "", type: str = "", **headers: str
) -> BadStatus:
    error = {"message": message, "code": code or None, "type": type or None}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return BadStatus(status=number, headers=named, body=json.dumps({"error": error}))


def plain(number: int, body: str) -> BadStatus:
    return BadStatus(status=number, body=body)


def caused(cause: Exception) -> Exception:
    """An exception as the SDK wraps it: two layers above what the socket said."""
    inner = httpx2.ConnectError("All connection attempts failed", request=REQUEST)
    inner.__cause__ = cause
    outer = openai.APIConnectionError(request=REQUEST)
    outer.__cause__ = inner
    return outer


TABLE: list[tuple[str, Problem, Kind, bool, str]] = [
    ("wrong key", status(401, "Incorrect API key provided."), Kind.AUTH, False, "Check the key"),
    ("forbidden", status(403, "Not in your country."), Kind.AUTH, False, "Not in your country"),
    ("out of credit", status(402, "Insufficient credits"), Kind.QUOTA, False, "plan and billing"),
    (
        "quota, OpenAI",
        status(429, "You exceeded your current quota.", code="insufficient_quota"),
        Kind.QUOTA,
        False,
        "plan and billing",
    ),
    ("billing off", status(429, "Off.", code="billing_not_active"), Kind.QUOTA, False, "billing"),
    (
        "quota, Anthropic",
        status(400, "Your credit balance is too low to use this."),
        Kind.QUOTA,
        False,
        "plan and billing",
    ),
    (
        "a limit per minute that is called a quota",
        status(429, "You exceeded your current quota. Please retry in 12.3s."),
        Kind.RATE_LIMIT,
        True,
        "fewer branches",
    ),
    (
        "rate limit with a link to billing",
        status(
            429,
            "Rate limit reached. See https://x.test/account/billing",
            code="rate_limit_exceeded",
        ),
        Kind.RATE_LIMIT,
        True,
        "fewer branches",
    ),
    ("rate limit without words", plain(429, ""), Kind.RATE_LIMIT, True, "limits the rate"),
    (
        "unknown model, OpenAI",
        status(404, "The model `big-1` does not exist.", code="model_not_found"),
        Kind.UNKNOWN_MODEL,
        False,
        "'big-1'",
    ),
    (
        "unknown model, Ollama",
        status(404, 'model "big-1" not found, try pulling it first'),
        Kind.UNKNOWN_MODEL,
        False,
        "try pulling it",
    ),
    (
        "unknown model, OpenRouter",
        status(400, "big-1 is not a valid model ID"),
        Kind.UNKNOWN_MODEL,
        False,
        "Models page",
    ),
    (
        "no access to the model",
        status(403, "Project has no access to it.", code="model_not_found"),
        Kind.UNKNOWN_MODEL,
        False,
        "Models page",
    ),
    ("wrong path", plain(404, '{"detail":"Not Found"}'), Kind.BAD_RESPONSE, False, "/v1"),
    ("wrong path, page", plain(404, "<html>nginx</html>"), Kind.BAD_RESPONSE, False, "/v1"),
    ("wrong method", plain(405, ""), Kind.BAD_RESPONSE, False, "/v1"),
    ("redirect", plain(308, ""), Kind.BAD_RESPONSE, False, "not followed"),
    (
        "too long",
        status(400, "Too much.", code="context_length_exceeded"),
        Kind.BAD_RESPONSE,
        False,
        "Shorten",
    ),
    ("too large", plain(413, ""), Kind.BAD_RESPONSE, False, "Shorten"),
    ("bad request", status(400, "n must be 1"), Kind.BAD_RESPONSE, False, "n must be 1"),
    (
        "invalid fields, FastAPI",
        plain(422, '{"detail":[{"loc":["body","n"],"msg":"too big","input":"topic"}]}'),
        Kind.BAD_RESPONSE,
        False,
        "body.n: too big",
    ),
    (
        "content policy",
        status(400, "Blocked.", code="content_filter"),
        Kind.REFUSED,
        False,
        "content filter",
    ),
    ("request timeout", plain(408, ""), Kind.SERVER, True, "HTTP 408"),
    ("conflict", plain(409, ""), Kind.SERVER, True, "HTTP 409"),
    ("crash", plain(500, "Internal Server Error"), Kind.SERVER, True, "HTTP 500"),
    ("bad gateway", plain(502, "<html>502</html>"), Kind.SERVER, True, "HTTP 502"),
    ("loading", status(503, "Loading model"), Kind.SERVER, True, "not ready"),
    ("overloaded", status(529, "Overloaded"), Kind.SERVER, True, "overloaded"),
    (
        "refused",
        caused(ConnectionRefusedError(111, "no")),
        Kind.CONNECTION,
        True,
        "Nothing answers",
    ),
    (
        "refused at two addresses",
        caused(ExceptionGroup("all", [ConnectionRefusedError(), ConnectionRefusedError()])),
        Kind.CONNECTION,
        True,
        "Nothing answers",
    ),
    ("no such host", caused(socket.gaierror(-2, "unknown")), Kind.CONNECTION, True, "not found"),
    ("bad certificate", caused(ssl.SSLError("bad")), Kind.CONNECTION, False, "certificate"),
    ("unreachable", caused(OSError(113, "no route")), Kind.CONNECTION, True, "No connection"),
    ("reset", httpx2.ReadError("reset"), Kind.CONNECTION, True, "broke off"),
    ("cut", httpx2.RemoteProtocolError("peer closed"), Kind.CONNECTION, True, "broke off"),
    ("connect timeout", httpx2.ConnectTimeout("slow"), Kind.CONNECTION, True, "No connection"),
    ("read timeout", httpx2.ReadTimeout("slow"), Kind.CONNECTION, True, "took too long"),
    ("sdk timeout", openai.APITimeoutError(REQUEST), Kind.CONNECTION, True, "took too long"),
    ("invalid URL", httpx2.InvalidURL("bad"), Kind.CONNECTION, False, "not a valid web address"),
    ("no http", httpx2.UnsupportedProtocol("ftp"), Kind.CONNECTION, False, "not a valid"),
    ("bad gzip", httpx2.DecodingError("gzip"), Kind.BAD_RESPONSE, False, "unpacked"),
    ("a bug of ours", ZeroDivisionError(), Kind.BUG, False, "ZeroDivisionError"),
    ("ended early", Unfinished(wrote=True), Kind.TRUNCATED, True, "in the middle"),
    ("ended at once", Unfinished(wrote=False), Kind.TRUNCATED, True, "before its first word"),
    ("a web page", WebPage(), Kind.BAD_RESPONSE, False, "A web page answered"),
    ("broken JSON", Unreadable(what="broken JSON"), Kind.BAD_RESPONSE, False, "broken JSON"),
    ("refusal", Refused(said="I can't."), Kind.REFUSED, False, "big-1 declined"),
    ("filter", Refused(filtered=True), Kind.REFUSED, False, "content filter"),
    ("nothing said", Wordless(finish_reason="stop"), Kind.EMPTY, True, "without a word"),
    ("all reasoning", Wordless(finish_reason="length"), Kind.EMPTY, False, "max tokens"),
    ("error in stream", ErrorInStream(error={"message": "Boom"}), Kind.SERVER, True, "Boom"),
    ("error as a string", ErrorInStream(error="Boom"), Kind.SERVER, True, "Boom"),
    (
        "rate limit in stream",
        ErrorInStream(error={"code": 429, "message": "Slow down"}),
        Kind.RATE_LIMIT,
        True,
        "Slow down",
    ),
    (
        "rate limit by name",
        ErrorInStream(error={"type": "rate_limit_error"}),
        Kind.RATE_LIMIT,
        True,
        "limits the rate",
    ),
    (
        "quota in stream",
        ErrorInStream(error={"code": "insufficient_quota"}),
        Kind.QUOTA,
        False,
        "billing",
    ),
    (
        "overload in stream",
        ErrorInStream(error={"type": "overloaded_error"}),
        Kind.SERVER,
        True,
        "in mid-answer",
    ),
    (
        "filter in stream",
        ErrorInStream(error={"code": "content_filter"}),
        Kind.REFUSED,
        False,
        "content filter",
    ),
]


@pytest.mark.parametrize(
    ("problem", "kind", "retryable", "says"),
    [pytest.param(*row[1:], id=row[0]) for row in TABLE],
)
def test_every_problem_has_its_kind_and_its_words(
    problem: Problem, kind: Kind, retryable: bool, says: str
) -> None:
    failure = failure_of(problem, ASKED, now=NOW)
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert says in failure.message


@pytest.mark.parametrize(("problem"), [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_every_message_names_who_failed_and_says_what_to_do(problem: Problem) -> None:
    message = failure_of(problem, ASKED, now=NOW).message
    assert "Acme AI" in message or "big-1" in message
    assert message.endswith(".")
    doing = r"check|choose|retry|try|start|raise|run|reword|shorten|report|add"
    assert re.search(rf"\b({doing})\b", message, re.IGNORECASE)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="not said"),
        pytest.param({"retry_after": "7"}, 7.0, id="seconds"),
        pytest.param({"Retry_After": " 0.5 "}, 0.5, id="part of a second"),
        pytest.param({"retry_after": "-3"}, 0.0, id="negative"),
        pytest.param({"retry_after": "nan"}, None, id="not a number"),
        pytest.param({"retry_after": "soon"}, None, id="words"),
        pytest.param({"retry_after_ms": "1500", "retry_after": "9"}, 1.5, id="milliseconds win"),
        pytest.param({"retry_after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30.0, id="date"),
        pytest.param({"retry_after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0, id="date gone by"),
        pytest.param(
            {
                "retry_after": "Sun, 01 Mar 2026 15:00:05 GMT",
                "date": "Sun, 01 Mar 2026 15:00:00 GMT",
            },
            5.0,
            id="date on a server whose clock is off",
        ),
    ],
)
@pytest.mark.parametrize("number", [429, 503])
def test_the_time_that_a_server_asks_to_wait_is_kept(
    number: int, headers: dict[str, str], seconds: float | None
) -> None:
    failure = failure_of(status(number, "Wait.", **headers), ASKED, now=NOW)
    assert failure.retry_after_s == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("2.5", " and asks to wait 2.5 s."),
        ("90", " and asks to wait 90 s."),
        ("900", " and asks to wait 15 min."),
        ("86400", " and asks to wait 24 h."),
        ("1000000000", " and asks to wait 11,574 days."),
        ("0", "limits the rate of calls. It"),
    ],
)
def test_a_wait_is_said_in_a_unit_that_people_use(seconds: str, words: str) -> None:
    assert words in failure_of(status(429, "Wait.", retry_after=seconds), ASKED).message


def test_without_a_key_the_message_asks_for_one() -> None:
    message = failure_of(status(401, "No key."), Asked(endpoint="Acme AI", has_key=False)).message
    assert "none is set" in message


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Rate limit reached. Please try again in 1m2.5s.", 62.5),
        ("Please try again in 120ms. Visit the docs.", 0.12),
        ("Please retry in 12.3s.", 12.3),
        ("Try again in 20 seconds.", 20.0),
        ("Try again in 5 minutes.", None),
        ("Try again later.", None),
    ],
)
def test_a_wait_that_is_only_in_the_words_is_found(words: str, seconds: float | None) -> None:
    assert failure_of(status(429, words), ASKED).retry_after_s == seconds
    assert failure_of(status(429, words, retry_after="9"), ASKED).retry_after_s == 9


@pytest.mark.parametrize("number", [429, 500, 503])
def test_a_server_that_says_so_is_not_asked_again(number: int) -> None:
    assert not failure_of(status(number, x_should_retry="false"), ASKED).retryable
    assert failure_of(status(number, x_should_retry="true"), ASKED).retryable
