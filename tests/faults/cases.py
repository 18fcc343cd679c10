"""Everything that goes wrong at a server, and how a call that meets it has to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fanout.providers.script import Fault, Reply
from fanout.types import FailureKind as Kind

NAME = "Acme AI"
BIG = 1_990_000
"""Characters of a large answer; an imported run may have at most 2,000,000 in one text."""
RETRY_S = 0.2
"""What the endpoint asks to be waited for where it says so."""


class Place(StrEnum):
    """Where the call ends up."""

    SERVER = "server"
    NOBODY = "nobody"
    """A port on which nobody listens."""
    PLAIN = "plain"
    """A server without TLS, asked by https."""
    SELF_SIGNED = "self_signed"
    NO_NAME = "no_name"
    """A host that no resolver knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault. A kind of None is an answer all the same."""

    does: str
    """What the server does, as the table says it."""
    reply: Reply = field(default_factory=Reply)
    place: Place = Place.SERVER
    kind: Kind | None = None
    words: tuple[str, ...] = ()
    """What the message has to say, what to do next among it."""
    again: bool = False
    """Whether it is asked a second time."""
    keeps: bool = False
    """Whether the text before the break is kept."""
    odd: bool = False
    """Whether an answer can't be read as the form that it should have."""
    estimated: bool = False
    reported: bool = False
    """Whether a failure comes with the tokens that it took."""
    deadlines: Mapping[str, float] = field(default_factory=dict)
    first_token_s: float | None = None
    """The endpoint's own deadline for a first token."""

    @property
    def passes(self) -> bool:
        """Whether the same server may be tried once more and be well."""
        return self.place is Place.SERVER and self.kind is not None


def _status(
    status: int, does: str, kind: Kind, *words: str, again: bool = False, **more: object
) -> Case:
    reply = Reply(status=status, **more)  # type: ignore[arg-type]
    return Case(does=does, reply=reply, kind=kind, words=(NAME, *words), again=again)


def _broken(fault: Fault, does: str, kind: Kind, *words: str, **more: object) -> Case:
    return Case(does=does, reply=Reply(fault=fault), kind=kind, words=words, **more)  # type: ignore[arg-type]


RETRY = "Retry this branch"
CASES: dict[str, Case] = {
    "429": _status(
        429, "429 without Retry-After", Kind.RATE_LIMIT, "limits the rate", "later", again=True
    ),
    "429_retry_after": _status(
        429,
        f"429 with `Retry-After: {RETRY_S}`",
        Kind.RATE_LIMIT,
        f"asks to wait {RETRY_S} s",
        "later",
        again=True,
        retry_after=str(RETRY_S),
    ),
    "429_quota": _status(
        429,
        "429, the credit is used up",
        Kind.QUOTA,
        "used up",
        "billing",
        code="insufficient_quota",
    ),
    "401": _status(401, "401, a wrong key", Kind.AUTH, "did not accept the key", "Check the key"),
    "402": _status(402, "402, no credit", Kind.QUOTA, "used up", "choose another endpoint"),
    "403": _status(403, "403, not for this key", Kind.AUTH, "does not allow", "Check the key"),
    "404_model": _status(
        404, "404, no such model", Kind.UNKNOWN_MODEL, "has no model", "Models page"
    ),
    "400_too_long": _status(
        400,
        "400, the text is too long",
        Kind.BAD_RESPONSE,
        "too long",
        "Shorten it",
        code="context_length_exceeded",
        message="This model's maximum context length is 8 tokens.",
    ),
    "500": _status(500, "500", Kind.SERVER, "error of its own", "Try again", again=True),
    "502_html": _status(
        502,
        "502 with an HTML page",
        Kind.SERVER,
        "HTTP 502",
        "Try again",
        again=True,
        fault=Fault.HTML_PAGE,
    ),
    "503": _status(503, "503, overloaded", Kind.SERVER, "overloaded", "Try again", again=True),
    "html_page": _broken(
        Fault.HTML_PAGE, "200 with an HTML page", Kind.BAD_RESPONSE, NAME, "base URL"
    ),
    "redirect": _broken(
        Fault.REDIRECT,
        "307 to another address",
        Kind.BAD_RESPONSE,
        NAME,
        "not followed",
        "base URL",
    ),
    "refused_connection": Case(
        does="nobody listens there",
        place=Place.NOBODY,
        kind=Kind.CONNECTION,
        words=("Nothing answers at", f"Start {NAME}"),
        again=True,
    ),
    "reset": _broken(
        Fault.RESET,
        "the connection is reset before a word",
        Kind.CONNECTION,
        NAME,
        "broke off",
        RETRY,
        again=True,
    ),
    "tls_plain": Case(
        does="https asked of a server without TLS",
        place=Place.PLAIN,
        kind=Kind.CONNECTION,
        words=("No safe connection", NAME, "http or https"),
    ),
    "tls_self_signed": Case(
        does="a certificate that nobody vouches for",
        place=Place.SELF_SIGNED,
        kind=Kind.CONNECTION,
        words=("No safe connection", NAME, "certificate"),
    ),
    "dns": Case(
        does="no such host",
        place=Place.NO_NAME,
        kind=Kind.CONNECTION,
        words=("nowhere.invalid", NAME, "was not found", "Check the base URL"),
        again=True,
    ),
    "slow_first_token": Case(
        does="the first token comes late, but in time", reply=Reply(first_token_s=0.3)
    ),
    "stall_first": Case(
        does="the connection is taken, and nothing comes",
        reply=Reply(fault=Fault.STALL_FIRST),
        kind=Kind.TIMEOUT_FIRST_TOKEN,
        words=("No first word from m within 1 s", "retry, or choose another model"),
        first_token_s=1.0,
    ),
    "stall_midway": _broken(
        Fault.STALL_MIDWAY,
        "silence in mid-answer",
        Kind.TIMEOUT_IDLE,
        "silent for 1 s",
        "retry this branch",
        keeps=True,
        deadlines={"idle_s": 1.0},
    ),
    "dropped": Case(
        does="the connection is reset in mid-answer",
        reply=Reply(fault=Fault.DROPPED, fault_after=2, tokens_per_s=4),
        kind=Kind.CONNECTION,
        words=(NAME, "broke off", RETRY),
        again=True,
        keeps=True,
    ),
    "cut_off": _broken(
        Fault.CUT_OFF,
        "the connection is closed in mid-answer",
        Kind.CONNECTION,
        NAME,
        "broke off",
        RETRY,
        again=True,
        keeps=True,
    ),
    "no_finish": _broken(
        Fault.NO_FINISH,
        "the stream ends early, without a finish_reason",
        Kind.TRUNCATED,
        NAME,
        "in the middle of its answer",
        RETRY,
        again=True,
        keeps=True,
    ),
    "bad_chunk": _broken(
        Fault.BAD_CHUNK,
        "bytes that are no HTTP in mid-answer",
        Kind.CONNECTION,
        NAME,
        "broke off",
        RETRY,
        again=True,
        keeps=True,
    ),
    "bad_json": _broken(
        Fault.BAD_JSON,
        "a chunk with broken JSON in mid-answer",
        Kind.BAD_RESPONSE,
        NAME,
        "broken JSON",
        RETRY,
        again=True,
        keeps=True,
    ),
    "bad_json_first": Case(
        does="a first chunk with broken JSON",
        reply=Reply(fault=Fault.BAD_JSON, fault_after=0),
        kind=Kind.BAD_RESPONSE,
        words=(NAME, "broken JSON", "base URL"),
    ),
    "error_in_stream": _broken(
        Fault.ERROR_IN_STREAM,
        "an error of its own in mid-answer",
        Kind.SERVER,
        NAME,
        "in mid-answer",
        "Try again",
        again=True,
        keeps=True,
    ),
    "content_filter": _broken(
        Fault.CONTENT_FILTER,
        "its filter stops the answer",
        Kind.REFUSED,
        NAME,
        "content filter",
        "Reword",
        keeps=True,
        reported=True,
    ),
    "refusal": _broken(
        Fault.REFUSAL,
        "the model declines",
        Kind.REFUSED,
        "declined",
        "I can't help",
        "Reword",
        reported=True,
    ),
    "empty": _broken(
        Fault.EMPTY,
        "a whole answer without a word",
        Kind.EMPTY,
        NAME,
        "without a word",
        RETRY,
        again=True,
        reported=True,
    ),
    "all_reasoning": _broken(
        Fault.ALL_REASONING,
        "all tokens go into reasoning",
        Kind.EMPTY,
        "used up its tokens",
        "max tokens",
        reported=True,
    ),
    "no_usage": Case(
        does="the usage is missing", reply=Reply(fault=Fault.NO_USAGE), estimated=True
    ),
    "length": Case(does="the answer reaches max_tokens", reply=Reply(fault=Fault.LENGTH)),
    "not_a_stream": Case(
        does="one JSON answer instead of a stream", reply=Reply(fault=Fault.NOT_A_STREAM)
    ),
    "wrong_type": Case(
        does="a stream that is called text/plain",
        reply=Reply(headers={"content-type": "text/plain"}),
    ),
    "duplicated": Case(
        does="every chunk comes twice", reply=Reply(fault=Fault.DUPLICATED), odd=True
    ),
    "out_of_order": Case(
        does="usage first, text after the finish_reason", reply=Reply(fault=Fault.OUT_OF_ORDER)
    ),
    "big": Case(
        does="an answer of 2 MB", reply=Reply(piece_chars=10_000, pieces_per_write=5), odd=True
    ),
}
