"""What a process opens that others may open too: the record, the rates, and the line between them.

A single command comes up without any of the three, as far as it can; what is wrong with one is told
in words. What serves others does not come up without the database that it was given.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from time import monotonic, sleep

from fanout.errors import SettingsError
from fanout.relay.opening import post_for
from fanout.relay.post import Post
from fanout.settings import Settings
from fanout.store.store import Store
from fanout.store.unreachable import Unreachable
from fanout.telemetry.telemetry import log_as_asked
from fanout.traffic.lane import Place
from fanout.traffic.shared import shared_place

log = logging.getLogger(__name__)

WAIT_S = 30.0
"""How long a process that serves others waits for its database at the start."""
AGAIN_S = 1.0


def awaited_store(settings: Settings, wait_s: float = WAIT_S) -> Store | None:
    """The record in FANOUT_DATABASE_URL; None where there is none, so that a file will do.

    A server that is away may be starting too, so it is tried again for a while. Then SettingsError:
    a process that kept runs in memory would stay apart from the others for good, while
    one that ends is started again by what watches over it.
    """
    if not settings.database:
        return None
    until = monotonic() + wait_s
    told = ""
    while True:
        try:
            return Store.open(settings.home, settings.database)
        except Unreachable as error:
            said = settings.placed(str(error))
            if monotonic() >= until:
                raise SettingsError(f"{said} Start it, or mend its address.") from None
        except SettingsError as error:
            raise SettingsError(settings.placed(str(error))) from None
        if said != told:
            told = said
            log_as_asked(settings)
            log.error("%s It is tried again for %.0f s.", said, wait_s)
        sleep(min(AGAIN_S, wait_s))


def opened_store(settings: Settings, problems: list[str]) -> Store:
    """The record of all runs; where it can't be used, one in memory, and `problems` says why."""
    try:
        store = Store.open(settings.home, settings.database)
    except SettingsError as error:
        said = settings.placed(str(error))
        problems.append(f"{said} Until that is mended, runs are kept only until Fanout ends.")
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
        said = settings.placed(str(error))
        problems.append(f"{said} Rates hold for this process alone.")
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
