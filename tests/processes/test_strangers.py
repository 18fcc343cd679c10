"""A process that does not answer, one of another version, and people who only look on."""

from __future__ import annotations

import pytest

from fanout.engine.viewed import ViewedRun
from fanout.errors import InputError
from fanout.relay.messages import News
from fanout.types import BranchState, RunStatus
from fanout.workflows.specs import AggregateSpec
from tests.processes.pair import POEM, STORY, opened, texts, watched
from tests.processes.waiting import until
from tests.rig import Rig, trio


def test_who_gets_no_answer_is_told_so_and_that_it_may_still_be_done(
    two: tuple[Rig, Rig],
) -> None:
    one, other = two
    mine = one.start(trio(), "endless")
    seen = watched(other, mine.id)
    seen.stop(STORY)
    until(lambda: mine.snapshot.branch(STORY).state is BranchState.STOPPED)
    assert seen.notice == ""
    exchange = one.engine._exchange
    assert exchange is not None and exchange._post is not None
    # It lives, and hears nothing.
    exchange._post.close()
    seen.stop()
    until(lambda: "may still be done" in seen.notice)
    with pytest.raises(InputError, match="may still be done"):
        seen.combine(AggregateSpec(prompt="{results}"))
    mine.stop()
    until(lambda: seen.snapshot.status.finished)
    assert seen.notice == "", "by now it can be seen"


def test_who_looks_at_a_shared_run_follows_it_to_another_process(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio())
    until(lambda: bool(mine.snapshot.branch(STORY).text))
    viewed = ViewedRun(mine, lambda: True)
    mine.stop()
    until(lambda: mine.has_kept())
    assert opened(other, mine.id).resume()
    until(lambda: not viewed.snapshot.status.finished, what="the board of who looks on")
    assert viewed.wait(30).status is RunStatus.SUCCEEDED
    assert viewed.now_s() - viewed.snapshot.at < 10


def test_what_a_newer_version_tells_is_left_to_the_record(two: tuple[Rig, Rig]) -> None:
    one, other = two
    mine = one.start(trio(), "endless")
    seen = watched(other, mine.id)
    until(lambda: bool(seen.snapshot.branch(POEM).text))
    exchange = other.engine._exchange
    assert exchange is not None
    watching = exchange._watching
    followed = watching._followed[mine.id]
    strange = News(
        run=mine.id,
        go=followed.go,
        first=seen.next,
        count=1,
        now=1.0,
        lines='{"event": "OfTomorrow", "at": 1.0}',
    )
    watching.told(strange)
    have = len(mine.snapshot.branch(POEM).text) + 20
    until(lambda: len(seen.snapshot.branch(POEM).text) > have)
    assert followed.asked_s == float("-inf"), "its process is not asked any more"
    mine.stop()
    until(lambda: seen.snapshot.status is RunStatus.STOPPED)
    assert texts(seen.newest.snapshot) == texts(mine.snapshot)
