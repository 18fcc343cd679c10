"""What can go wrong with a call, as providers meet it; `failures.failure_of` says what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from fanout.providers.server_error import BadStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who was asked for what, so that a message can say it; and what it must not repeat."""

    endpoint: str
    """The endpoint's name as the screen says it."""
    model: str = ""
    host: str = ""
    has_key: bool = True
    in_form: bool = False
    """True where the request carried a response_format."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """The key and the prompts."""
    key: str = field(default="", repr=False)
    """Struck out of the answer itself too, should the endpoint repeat it there."""


class AddressRefused(OSError):
    """The endpoint's host leads to an address that nobody may have asked for them here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInStream:
    """An `error` where a piece of the answer should be."""

    error: object


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """HTML where an API should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Bytes that are not OpenAI's protocol."""

    what: str
    again: bool = False
    """True where what came before was, so that asking once more may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """The stream ended and no finish_reason had come."""

    wrote: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The model declined, or a filter stopped it."""

    said: str = ""
    filtered: bool = False
    """True where the endpoint's filter stopped the answer, not the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordless:
    """A finished answer without any text."""

    finish_reason: str


Problem: TypeAlias = (
    BadStatus | ErrorInStream | WebPage | Unreadable | Unfinished | Refused | Wordless | Exception
)
