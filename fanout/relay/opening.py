"""Over what line the processes of this deployment speak, if there are several."""

from __future__ import annotations

from fanout.relay.line import Line
from fanout.relay.post import Post


def post_for(address: str, *, redis_url: str = "", database_url: str = "") -> Post | None:
    """Redis where there is one, else the PostgreSQL of the record; None: there is one process, or
    several of one machine that see each other's runs as they are written down.

    Nothing is sent yet. SettingsError for what is no address.
    """
    line: Line
    if redis_url.strip():
        from fanout.relay.redis_line import RedisLine

        line = RedisLine(redis_url)
    elif database_url.strip():
        from fanout.relay.database_line import DatabaseLine

        line = DatabaseLine(database_url)
    else:
        return None
    return Post(line, address)
