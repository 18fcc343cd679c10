"""Where rates and pauses are kept so that they hold over several processes, if anywhere."""

from __future__ import annotations

from fanout.traffic.lane import Place


def shared_place(*, redis_url: str = "", database_url: str = "") -> Place | None:
    """Redis where there is one, else the database; None keeps them in this process's memory.

    Nothing is sent yet: a place that can't be reached later is told in the endpoint's health, and
    limits hold for this process alone meanwhile. SettingsError for what is no address.
    `database_url` is PostgreSQL's, or sqlite:///file for processes of one machine.
    """
    if redis_url.strip():
        # Each of these loads in a tenth of a second, which most never need.
        from fanout.traffic.redis_place import RedisPlace

        return RedisPlace(redis_url.strip())
    if database_url.strip():
        from fanout.traffic.database_place import DatabasePlace

        return DatabasePlace(database_url.strip())
    return None
