"""What a process opens that others may open too: the record, the rates, and the line between them.

Fanout comes up without any of the three, as far as it can; what is wrong with one is told in words.
"""

from __future__ import annotations

from contextlib import suppress

from fanout.errors import SettingsError
from fanout.relay.opening import post_for
from fanout.relay.post import Post
from fanout.settings import Settings
from fanout.store.store import Store
from fanout.traffic.lane import Place
from fanout.traffic.shared import shared_place


def opened_store(settings: Settings, problems: list[str]) -> Store:
    """The record of all runs; where it can't be used, one in memory, and `problems` says why."""
    try:
        store = Store.open(settings.home, settings.database)
    except SettingsError as error:
        problems.append(f"{error} Until that is mended, runs are kept only until Fanout ends.")
        return Store.in_memory()
    problems.extend(store.problems)
    return store


def opened_place(settings: Settings, problems: list[str]) -> Place | None:
    """Where this process and others keep rates and pauses together, if anywhere."""
    redis, database = settings.redis_url, settings.database_url
    try:
        return shared_place(
            redis_url=redis.reveal() if redis is not None else "",
            database_url=database.reveal() if database is not None else "",
        )
    except SettingsError as error:
        problems.append(f"{error} Rates hold for this process alone.")
        return None


def opened_post(settings: Settings, store: Store) -> Post | None:
    """How this process and others of the same record speak with each other."""
    if not store.kept:
        return None
    redis = settings.redis_url
    with suppress(SettingsError):
        # What is wrong with an address was told by what opened record and rates.
        return post_for(
            store.owner,
            redis_url=redis.reveal() if redis is not None else "",
            database_url=settings.database,
        )
    return None
