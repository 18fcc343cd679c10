"""What a server says when it fails: status, headers and the words in the body, read leniently.

Every server dresses its errors differently (OpenAI's object, FastAPI's `detail`, a bare string, an
HTML page), and some use one status for several troubles, so the words count as much as the number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import cast

from fanout.policies import RateFacts
from fanout.providers.rate_headers import duration_s, moment, rates_in

_QUOTA_CODES = (
    "insufficient_quota",
    "billing",
    "credits_exhausted",
    "payment_required",
    "insufficient_balance",
)
_QUOTA_PHRASES = (
    "exceeded your current quota",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
)
_NO_MODEL = re.compile(
    r"model_not_found|unknown_model|invalid[ _]model|not a valid model"
    r"|model\b.{0,200}?\b"
    r"(?:not found|not exist|does not exist|not available|not loaded|unknown|is not supported)"
    r"|no such model|unknown model|no model named",
    re.IGNORECASE | re.DOTALL,
)
_TRY_IN = re.compile(r"(?:try again|retry) in (\d[\dhm.]*s|\d[\d.]*(?= seconds?\b))", re.I)
_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|prompt is too long"
    r"|string_above_max_length"
    r"|exceeds? the (?:available )?context",
    re.IGNORECASE,
)
_STATUS_OF_WORDS = (
    (("insufficient_quota", "billing"), 402),
    (("rate_limit", "too_many_requests", "resource_exhausted", "throttl"), 429),
    (("invalid_api_key", "authentication", "unauthorized", "permission"), 401),
    (("model_not_found", "not_found_error"), 404),
    (("overloaded", "unavailable"), 529),
    (("invalid_request", "context_length", "bad_request", "invalid_argument"), 400),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadStatus:
    """An answer whose status is not 200."""

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: str = ""
    in_stream: bool = False
    """True where it stands for an error that came inside a stream."""

    @property
    def place(self) -> str:
        return "in mid-answer" if self.in_stream else f"HTTP {self.status}"

    @property
    def rates(self) -> RateFacts | None:
        """What it says about its limits."""
        return rates_in(self.headers)

    @property
    def forbids_retry(self) -> bool:
        """Whether the server says that asking again is no use."""
        return self._named().get("x-should-retry", "").lower() == "false"

    def retry_after_s(self, now: datetime | None = None) -> float | None:
        """Seconds that the server asks to wait, from whichever of the usual forms it uses."""
        headers = self._named()
        if (ms := _seconds(headers.get("retry-after-ms", ""))) is not None:
            return ms / 1000
        said = headers.get("retry-after", "")
        if (seconds := _seconds(said)) is not None:
            return seconds
        then = moment(said)
        if then is None:
            return self._asked_in_words()
        return max(
            0.0,
            (then - (moment(headers.get("date", "")) or now or datetime.now(UTC))).total_seconds(),
        )

    def _asked_in_words(self) -> float | None:
        """Some say how long only in the sentence: "Please try again in 1m2.5s"."""
        found = _TRY_IN.search(said_in(self.body).message) if self.status == 429 else None
        return duration_s(found[1]) if found else None

    def _named(self) -> dict[str, str]:
        return {name.lower(): value.strip() for name, value in self.headers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The words of an error, wherever in the body they stood."""

    message: str = ""
    code: str = ""
    type: str = ""

    @property
    def words(self) -> str:
        return f"{self.code} {self.type} {self.message}".lower()

    def is_quota(self, status: int, *, asked_to_wait: bool) -> bool:
        labels = f"{self.code} {self.type}".lower()
        if status == 402 or any(code in labels for code in _QUOTA_CODES):
            return True
        # Some say "quota" of a limit per minute too: whoever names a time to wait means that one.
        waits = asked_to_wait or "retry in" in self.words or "rate_limit" in labels
        return (
            status in (400, 403, 429)
            and not waits
            and any(phrase in self.words for phrase in _QUOTA_PHRASES)
        )

    def is_unknown_model(self, status: int) -> bool:
        return status in (400, 403, 404, 422) and _NO_MODEL.search(self.words) is not None

    def is_filtered(self) -> bool:
        return any(
            word in f"{self.code} {self.type}".lower()
            for word in ("content_filter", "content_policy", "safety")
        )

    def is_too_long(self) -> bool:
        return _TOO_LONG.search(self.words) is not None


def said_in(body: str) -> Said:
    """The message, code and type of an error body; an HTML page says nothing worth quoting."""
    text = body.strip()
    if text.startswith("<"):
        return Said()
    try:
        value: object = json.loads(text)
    except ValueError:
        return Said(message=text)
    if isinstance(value, list) and value:
        value = value[0]
    return _said(value)


def status_of(said: Said) -> int:
    """The status that an error inside a 200 stream would have had; 500 where it gives no hint."""
    if said.code.isdigit() and 400 <= int(said.code) < 600:
        return int(said.code)
    labels = f"{said.code} {said.type}".lower()
    return next(
        (status for words, status in _STATUS_OF_WORDS if any(word in labels for word in words)), 500
    )


def _said(value: object) -> Said:
    if isinstance(value, str):
        return Said(message=value)
    if not isinstance(value, dict):
        return Said()
    fields = cast("dict[str, object]", value)
    inner = fields.get("error")
    if isinstance(inner, dict):
        return _said(inner)
    message = next(
        (fields[name] for name in ("message", "error", "detail") if fields.get(name)), ""
    )
    return Said(
        message=_sentence(message), code=_label(fields.get("code")), type=_label(fields.get("type"))
    )


def _sentence(value: object) -> str:
    """A message; of validation errors the first one's place and words, never its input."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        first = cast("dict[str, object]", value[0])
        place = first.get("loc")
        names = ".".join(str(part) for part in place) if isinstance(place, list) else ""
        return f"{names}: {first.get('msg', '')}".strip(": ")
    return value if isinstance(value, str) else ""


def _label(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None
