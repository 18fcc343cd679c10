"""One value of a setting each: read from its text, or refused by the name of its variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from fanout.bounds import LOCAL, SHARED, Bounds
from fanout.endpoint import Secret
from fanout.errors import SettingsError
from fanout.policies import Budget

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})
_MOST = 10**12
_PEOPLE_KEY = re.compile(r"[0-9A-Fa-f]{64}")
BOUNDS = {
    "FANOUT_MAX_TOPIC_CHARS": "topic_chars",
    "FANOUT_MAX_BRANCHES": "branches",
    "FANOUT_MAX_UPLOAD_MB": "upload_bytes",
    "FANOUT_MAX_DOCUMENTS": "documents",
    "FANOUT_MAX_RUNS": "runs",
    "FANOUT_MAX_RUNS_PER_PERSON": "runs_per_person",
    "FANOUT_MAX_BATCH_ROWS": "batch_rows",
}


def of_both(environment: Mapping[str, str], secrets: Mapping[str, object]) -> dict[str, str]:
    """The environment, and from a secrets file what it leaves out or empty."""
    plain = {
        name: str(value)
        for name, value in secrets.items()
        if isinstance(value, str | int | float) and name.startswith(("OPENAI_", "FANOUT_"))
    }
    return {**plain, **{name: value for name, value in environment.items() if value.strip()}}


def flag(env: Mapping[str, str], name: str) -> bool:
    said = env.get(name, "").strip().lower()
    if said not in _YES | _NO:
        raise SettingsError(f"{name} is 1 or 0; it is neither now.")
    return said in _YES


def flag_in(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    """The same for one that is on unless it is switched off."""
    return flag(env, name) if env.get(name, "").strip() else default


def choice_in(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    said = env.get(name, "").strip().lower() or default
    if said not in choices:
        raise SettingsError(f"{name} is one of {', '.join(choices)}; it is none of them now.")
    return said


def port_in(env: Mapping[str, str], name: str) -> int:
    """0 where there is none."""
    port = whole(env, name) or 0
    if port > 65535:
        raise SettingsError(f"{name} is a port from 1 to 65535, or 0 for none; it is neither now.")
    return port


def hosts_in(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Hosts by commas, each as "host" or "host:port", in lower case and as typed otherwise."""
    found = []
    for entry in filter(None, (part.strip().lower() for part in env.get(name, "").split(","))):
        try:
            parts = urlsplit(f"//{entry}")
            # `.port` raises where it is none.
            fits = bool(parts.hostname) and parts.port != 0 and parts.netloc == entry
        except ValueError:
            fits = False
        if not fits or "@" in entry or "*" in entry or not entry.isprintable() or " " in entry:
            raise SettingsError(
                f"{name} holds something that is no host. It looks like "
                "models.example.com, 10.0.0.5:8000, [fd00::1]:8000"
            )
        found.append(entry)
    return tuple(found)


def people_key_in(env: Mapping[str, str], name: str) -> Secret | None:
    digits = env.get(name, "").strip()
    if digits and not _PEOPLE_KEY.fullmatch(digits):
        raise SettingsError(
            f"{name} is 64 hexadecimal digits, as `openssl rand -hex 32` makes them; it is "
            "something else now."
        )
    return Secret(digits.lower()) if digits else None


def redis_in(env: Mapping[str, str], name: str) -> Secret | None:
    url = env.get(name, "").strip()
    if not url:
        return None
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(f"{name} is no address of a Redis. It looks like redis://localhost/0")
    return Secret(url)


def checked_url(url: str, name: str) -> str:
    """A base URL without its trailing slash, or ""; SettingsError if it can't be one."""
    url = url.strip().rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise SettingsError(f"{name} is no web address. It looks like http://localhost:11434/v1.")
    if parts.username or parts.password:
        raise SettingsError(f"{name} holds a user or password. Give the key on its own instead.")
    if "?" in url or "#" in url:
        raise SettingsError(
            f"{name} goes on after a ? or #, which may hold a key. Leave that part out and give "
            "the key on its own."
        )
    return url


def checked_key(text: str, name: str) -> Secret | None:
    """A key, None where there is none; SettingsError if no server could be sent it."""
    key = text.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(
            f"{name} holds characters that no key has, such as a space or a line break that was "
            "copied along. Copy the key again."
        )
    return Secret(key) if key else None


def budget_in(env: Mapping[str, str], name: str) -> Budget:
    """From `name`_USD and `name`_TOKENS."""
    return Budget(usd=_money(env, f"{name}_USD"), tokens=whole(env, f"{name}_TOKENS"))


def bounds_in(env: Mapping[str, str], *, shared: bool) -> Bounds:
    bounds = SHARED if shared else LOCAL
    for variable, field in BOUNDS.items():
        number = whole(env, variable, least=1)
        if number is not None:
            scale = 1024 * 1024 if variable.endswith("_MB") else 1
            bounds = replace(bounds, **{field: number * scale})
    if bounds.runs_per_person > bounds.runs:
        bounds = replace(bounds, runs_per_person=bounds.runs)
    return bounds


def whole(env: Mapping[str, str], name: str, *, least: int = 0) -> int | None:
    """None where nothing is said."""
    said = env.get(name, "").strip().replace("_", "")
    if not said:
        return None
    if not (said.isascii() and said.isdigit()) or not least <= int(said[:20]) <= _MOST:
        raise SettingsError(f"{name} is a whole number from {least}; it is none now.")
    return int(said)


def _money(env: Mapping[str, str], name: str) -> Decimal | None:
    said = env.get(name, "").strip()
    if not said:
        return None
    try:
        amount = Decimal(said)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _MOST:
        raise SettingsError(f"{name} is an amount in US dollars, such as 2.50; it is none now.")
    return amount
