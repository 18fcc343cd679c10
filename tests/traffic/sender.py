"""A process of its own that takes from what processes share, for tests of several processes.

python -m tests.traffic.sender REDIS_URL DATABASE_URL LIMIT MINUTE_S CALLS
Takes so many times, from two threads, by a limit of requests and by one of tokens. Says when it is
ready, begins when it is told to, and then writes what limited a call and between which moments it
was let through, in milliseconds of the wall clock.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace

from fanout.traffic.lane import Lane, Place, wall_ms
from fanout.traffic.quota import Limits
from fanout.traffic.shared import shared_place
from tests.traffic.rig import endpoint

TOKENS_EACH = 10


def send(place: Place, name: str, limits: Limits, minute_s: float, calls: int) -> None:
    lane = Lane(place, replace(endpoint(), base_url=name), minute_s)
    while calls:
        before_ms = wall_ms()
        taken = lane.take(limits, TOKENS_EACH)
        if taken.wait_s:
            time.sleep(taken.wait_s)
        else:
            sys.stdout.write(f"{name} {before_ms} {wall_ms()}\n")
            calls -= 1


def main(redis: str, database: str, limit: int, minute_s: float, calls: int) -> None:
    place = shared_place(redis_url=redis, database_url=database)
    assert place is not None
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    work = {
        "requests": Limits(requests=limit),
        "tokens": Limits(tokens=limit * TOKENS_EACH),
    }
    threads = [
        threading.Thread(target=send, args=(place, name, limits, minute_s, calls))
        for name, limits in work.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    place.close()


if __name__ == "__main__":
    redis, database, limit, minute_s, calls = sys.argv[1:]
    main(redis, database, int(limit), float(minute_s), int(calls))
