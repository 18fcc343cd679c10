"""What an endpoint's headers say about its limits, read in every dialect that servers use.

Nothing here ever fails: what can't be read is left out, since a header is a hint and no answer may
be lost for it. Where a server names several windows, the one per minute is taken.

Sources: OpenAI and Groq API references, "Rate limits in headers"; Anthropic API reference, "Rate
limits: response headers"; IETF draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import product

from fanout.policies import RateFacts

LONGEST_RESET_S = 86_400.0
"""A limit that is there again later than this is given so many seconds."""
MOST = 10**12
"""No limit is believed to be larger."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_UNIT_S = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_NUMBER = re.compile(r"\s*(\d{1,20})(?:\.\d*)?\s*(?:[,;].*)?")
_EPOCH_S = 1e9
"""A number of seconds from here on is a moment, not a duration; a thousand times more is in ms."""
_LONGEST = 200


def rates_in(headers: Mapping[str, str], now: datetime | None = None) -> RateFacts | None:
    """The limits that these headers tell of; None where they tell of none.

    Moments are counted from the server's own Date, or from `now` where it sends none.
    """
    said = {name.lower(): value.strip()[:_LONGEST] for name, value in headers.items()}
    if not any("limit" in name for name in said):
        return None
    since = moment(said.get("date", "")) or now or datetime.now(UTC)
    facts = RateFacts(
        requests_limit=_limit(said, "requests"),
        requests_left=_count(_first(said, "requests", "remaining")),
        requests_reset_s=reset_s(_first(said, "requests", "reset"), since),
        tokens_limit=_limit(said, "tokens"),
        tokens_left=_count(_first(said, "tokens", "remaining")),
        tokens_reset_s=reset_s(_first(said, "tokens", "reset"), since),
    )
    return facts if facts != RateFacts() else None


def reset_s(said: str, now: datetime) -> float | None:
    """Seconds until then: "1s", "6m0s", "120ms", "7.5", a date (ISO, HTTP), an epoch in s or ms."""
    text = said.strip()[:_LONGEST]
    if not text:
        return None
    seconds = duration_s(text)
    if seconds is None:
        then = moment(text)
        seconds = (then - now).total_seconds() if then is not None else None
    elif seconds >= _EPOCH_S:
        seconds = (seconds / 1000 if seconds >= 1000 * _EPOCH_S else seconds) - now.timestamp()
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(LONGEST_RESET_S, max(0.0, seconds))


def duration_s(text: str) -> float | None:
    """A duration as Go writes it, such as "1m30.5s", or a plain number of seconds."""
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def moment(text: str) -> datetime | None:
    """An ISO or HTTP date; one without a zone is in UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
            return date if date.tzinfo else date.replace(tzinfo=UTC)
        except (TypeError, ValueError, OverflowError, IndexError):
            continue
    return None


def _limit(said: Mapping[str, str], what: str) -> int | None:
    # A limit of none at all is how some say that they know of none.
    return _count(_first(said, what, "limit")) or None


def _first(said: Mapping[str, str], what: str, fact: str) -> str:
    return next((said[name] for name in _names(what, fact) if said.get(name)), "")


def _names(what: str, fact: str) -> Iterator[str]:
    short = {"requests": "req", "tokens": "tokens"}[what]
    for prefix, window in product(("x-ratelimit", "ratelimit"), ("", "-minute")):
        yield f"{prefix}-{fact}-{what}{window}"
        yield f"{prefix}-{fact}-{short}{window}"
    yield f"anthropic-ratelimit-{what}-{fact}"
    if what == "tokens":
        yield f"anthropic-ratelimit-input-tokens-{fact}"
        yield f"x-tokenlimit-{fact}"
    else:
        yield f"x-ratelimit-{fact}"
        yield f"ratelimit-{fact}"


def _count(said: str) -> int | None:
    found = _NUMBER.fullmatch(said)
    return min(MOST, int(found[1])) if found else None
