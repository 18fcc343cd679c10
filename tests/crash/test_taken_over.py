"""What one app does where another went on with the same run: it says so, and spends no more."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from functools import reduce
from pathlib import Path

from sqlalchemy import update

from fanout.engine.handle import RunHandle
from fanout.events import BallotCast, RunFinished, RunStarted
from fanout.fold import apply, begin
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.store.database import writing
from fanout.store.schema import runs
from fanout.store.store import Store
from fanout.store.values import Update
from fanout.types import RunId, RunStatus
from fanout.workflows.library import shipped
from tests.crash.test_kill_commands import fanout
from tests.crash.test_two_processes import app, opened, until
from tests.rig import QUICK, script, trio

BROKEN = script(QUICK, poem=Reply(status=400, message="no"))


def test_two_commands_that_resume_one_run_at_once_end_as_one_that_did_and_one_that_says_so() -> (
    None
):
    poem = (Reply(status=400, message="no"), Reply(text="A poem at last. " * 8, tokens_per_s=20))
    rules = (Rule(prompt="poem", replies=poem),)
    with serving(Script(rules=rules, otherwise=Reply(text="Fine words."))) as server:
        first = fanout(server, "run", "creative-trio", "--topic", "rain", "--json")
        run_id = json.loads(first.communicate(timeout=60)[0])["run_id"]
        both = [fanout(server, "resume", run_id, "--json") for _ in range(2)]
        ended = [process.communicate(timeout=90) for process in both]
        assert sorted(process.returncode == 0 for process in both) == [False, True], ended
        (loser,) = [n for n, process in enumerate(both) if process.returncode]
        assert "another process" in ended[loser][1].lower()
        assert "Traceback" not in ended[loser][1]
        shown = fanout(server, "show", run_id, "--json").communicate(timeout=60)[0]
        assert json.loads(shown)["status"] == "succeeded"


def test_calls_of_a_run_that_went_on_elsewhere_are_stopped_when_it_is_opened_anew(
    fanout_home: Path,
) -> None:
    slow = script(QUICK, poem=Reply(text="word " * 2000, tokens_per_s=20))
    with app(fanout_home, "", BROKEN) as here:
        run_id = here.run(trio()).run_id
    with app(fanout_home, "", slow) as one, app(fanout_home, "", slow) as two:
        handle = opened(one, run_id)
        assert handle.resume()
        until(lambda: one.provider.streaming == 1)
        assert one.engine.scribe is not None and one.engine.scribe.flush(10)
        mine, theirs = one.engine._store, two.engine._store
        assert mine is not None and theirs is not None
        # As where both asked within the same moment, and the other was the first to write.
        with writing(mine._engine) as connection:
            connection.execute(update(runs).values(owner=theirs._owners.id))
        until(lambda: handle.outdated)
        assert opened(one, run_id).fixed
        until(lambda: one.provider.streaming == 0)


def test_two_pages_that_open_a_run_at_once_get_one_handle(fanout_home: Path) -> None:
    with app(fanout_home, "", BROKEN) as here:
        run_ids = [here.run(trio()).run_id for _ in range(5)]
    with app(fanout_home, "", BROKEN) as here:
        for run_id in run_ids:
            start = threading.Barrier(4)
            got: list[RunHandle] = []

            def open_it(run_id: RunId = run_id, start: threading.Barrier = start) -> None:
                start.wait(10)
                got.append(opened(here, run_id))  # noqa: B023

            threads = [threading.Thread(target=open_it) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            assert len({id(handle) for handle in got}) == 1


def test_a_vote_that_a_crash_cut_from_its_answer_is_read_when_the_run_goes_on(
    fanout_home: Path,
) -> None:
    workflow = next(one for one in shipped().workflows if one.kind == "moderation")
    with app(fanout_home, "", script()) as here:
        before = here.run(workflow, "is this fine?")
        past = opened(here, before.run_id).events
    cut = next(n for n, event in enumerate(past) if isinstance(event, BallotCast))
    first, *rest = past[:cut]
    assert isinstance(first, RunStarted)
    first = replace(first, run_id=RunId("cut-short-0001"))
    told = (first, *rest, RunFinished(at=past[cut].at, status=RunStatus.INTERRUPTED))
    picture = reduce(apply, told[1:], begin(first))
    with Store.open(fanout_home) as store:
        store.write([Update(snapshot=picture, events=told, first=0)])
    with app(fanout_home, "", script()) as here:
        handle = opened(here, "cut-short-0001")
        assert handle.resume()
        after = handle.wait(timeout_s=20)
        assert [b.ballot for b in after.branches] == [b.ballot for b in before.branches]
