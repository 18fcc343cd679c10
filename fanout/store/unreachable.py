"""Why a database server can't be used, in words that never hold its password."""

from __future__ import annotations

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from fanout.errors import SettingsError

_REASONS = (
    ("password authentication failed", "it refuses this user or password"),
    ("no password supplied", "it wants a password"),
    ("does not exist", "that database or user does not exist there"),
    ("refused", "nothing answers there"),
    ("resolve", "its host is unknown"),
    ("translate host", "its host is unknown"),
    ("name or service", "its host is unknown"),
    ("timeout", "it does not answer in time"),
    ("timed out", "it does not answer in time"),
    ("ssl", "no encrypted connection could be made"),
    ("too many", "it has no free connection"),
    ("permission denied", "this user may not make tables there"),
    ("syntax error", "it is older than PostgreSQL 12"),
)


class Unreachable(SettingsError):
    """A database server that can't be used now; in a moment it may be."""


def unreachable(url: URL, error: Exception) -> str:
    """One sentence for the person who set FANOUT_DATABASE_URL."""
    cause = error.__context__ if not isinstance(error, DBAPIError) else error
    said = str(getattr(cause, "orig", cause)).lower()
    why = next((reason for sign, reason in _REASONS if sign in said), "it can't be used")
    place = f"{url.host or 'localhost'}:{url.port or 5432}"
    return (
        f"The database of FANOUT_DATABASE_URL ({url.database or 'postgres'} at {place}) can't be "
        f"opened: {why}."
    )
