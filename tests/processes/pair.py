"""Two engines on one record, as two processes have them, and runs that tests follow in both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fanout.engine.handle import RunHandle
from fanout.engine.watched import WatchedRun
from fanout.providers.script import Reply, Rule, Script
from fanout.relay.opening import post_for
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import BranchId
from tests.processes.waiting import until
from tests.rig import Rig, rig

POEM, STORY = BranchId("poem"), BranchId("story")
LONG = Reply(text="é" * 60_000, first_token_s=0.5)
SLOW = Reply(text="word after word " * 25, tokens_per_s=60)
ENDLESS = Reply(text="word " * 4000, tokens_per_s=30)
TOLD = Script(
    rules=(
        Rule(prompt="a story about something long", replies=(LONG,)),
        Rule(prompt="long", replies=(ENDLESS,)),
        Rule(prompt="endless", replies=(ENDLESS,)),
    ),
    otherwise=SLOW,
)
"""What is asked of an endless topic goes on until it is stopped."""


@contextmanager
def process(home: Path, url: str, told: Script = TOLD, *, redis: str = "") -> Iterator[Rig]:
    """A store and an engine of their own, with a home of their own, as another process has."""
    with Store.open(home, url) as store:
        post = post_for(store.owner, redis_url=redis, database_url=url)
        with rig(told, store=store, post=post) as here:
            until(lambda: post is None or post.up, what="the line")
            yield here


def opened(here: Rig, run_id: str) -> RunHandle:
    # Its first line is on its way into the record.
    until(lambda: here.engine.get(run_id) is not None)
    handle = here.engine.get(run_id)
    assert handle is not None
    return handle


def watched(here: Rig, run_id: str) -> WatchedRun:
    handle = opened(here, run_id)
    assert isinstance(handle, WatchedRun)
    return handle


def texts(snapshot: Snapshot) -> dict[str, str]:
    return {call.id: call.text for call in snapshot.calls}
