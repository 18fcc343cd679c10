"""A process that does not answer, one of another version, and people who only look on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components import session
from fanout.engine.viewed import ViewedRun
from fanout.engine.watched import WatchedRun
from fanout.errors import InputError
from fanout.relay.messages import News
from fanout.types import BranchState, RunStatus
from fanout.workflows.specs import AggregateSpec
from tests.pages.test_run import opened as page
from tests.processes.pair import POEM, STORY, opened, process, texts, watched
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


@pytest.fixture
def page_of_another(monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> Iterator[None]:
    """Pages that are drawn are those of a further process on the same record."""
    monkeypatch.setenv("FANOUT_DATABASE_URL", postgres_url)
    yield
    session.close_runtime()


@pytest.mark.usefixtures("page_of_another")
def test_the_page_says_that_a_stop_was_not_answered(tmp_path: Path, postgres_url: str) -> None:
    with process(tmp_path / "owner", postgres_url) as owner:
        mine = owner.start(trio(), "endless")
        until(lambda: bool(mine.snapshot.branch(POEM).text))
        app = page(run=mine.id)
        seen = session.runtime().engine.get(mine.id)
        assert isinstance(seen, WatchedRun)
        until(lambda: not seen.fixed, what="the line")
        exchange = owner.engine._exchange
        assert exchange is not None and exchange._post is not None
        exchange._post.close()
        assert not app.run().warning
        seen.stop()
        until(lambda: bool(seen.notice))
        (warning,) = app.run().warning
        assert "does not answer. What you asked for may still be done" in warning.value.replace(
            "\\", ""
        )
        assert not app.exception
        mine.stop()


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
