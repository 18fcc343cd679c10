"""Runs outlive their process: found again, shown, resumed, and never written twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from fanout.events import RunResumed, RunStarted
from fanout.fold import apply, begin
from fanout.providers.script import Fault, Reply, Script
from fanout.store.store import Store
from fanout.store.values import Update
from fanout.types import AGGREGATE, BranchId, BranchState, RunId, RunStatus
from fanout.workflows.library import shipped
from tests.rig import QUICK, Rig, rig, script, trio

STALLED = Reply(text="Half a", fault=Fault.STALL_FIRST)
POEM = BranchId("poem")


@contextmanager
def process(home: Path, told: Script) -> Iterator[Rig]:
    """What one process of Fanout is: its own store on the same folder, its own engine."""
    with Store.open(home) as store, rig(told, store=store) as here:
        yield here


def test_a_run_is_there_after_its_process(fanout_home: Path) -> None:
    with process(fanout_home, script()) as here:
        before = here.run(trio())
    with process(fanout_home, script()) as here:
        handle = here.engine.get(before.run_id)
        assert handle is not None
        assert handle.snapshot.branches == before.branches
        assert handle.snapshot.aggregates == before.aggregates
        assert handle.workflow == trio()
        assert not handle.resume(), "nothing of it is missing"
        assert here.provider.requests == []


def test_an_interrupted_run_is_resumed_and_only_what_is_missing_is_asked(
    fanout_home: Path,
) -> None:
    with process(fanout_home, script(QUICK, poem=STALLED)) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            done = [b for b in handle.snapshot.branches if b.state.succeeded]
            if len(done) == 2 and here.provider.streaming == 1:
                break
    assert handle.snapshot.status is RunStatus.INTERRUPTED
    assert handle.snapshot.branch(POEM).state is BranchState.STOPPED
    with process(fanout_home, script()) as here:
        again = here.engine.get(handle.id)
        assert again is not None
        assert again.snapshot.status is RunStatus.INTERRUPTED
        assert again.resume()
        snapshot = again.wait(timeout_s=20)
        assert snapshot.status is RunStatus.SUCCEEDED
        assert len(here.provider.requests) == 1 + 1, "the poem, and the combining call"
    with Store.open(fanout_home) as store:
        stored = store.load(handle.id)
    assert stored is not None
    assert stored.snapshot.status is RunStatus.SUCCEEDED
    assert stored.snapshot.branch(POEM).earlier[0].state is BranchState.STOPPED


def test_a_resumed_run_does_not_count_the_days_between(fanout_home: Path) -> None:
    with process(fanout_home, script(QUICK, poem=Reply(fault=Fault.STALL_FIRST))) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            if here.provider.streaming == 1:
                break
    with process(fanout_home, script()) as here:
        again = here.engine.get(handle.id)
        assert again is not None
        again.resume()
        snapshot = again.wait(timeout_s=20)
        resumed = next(event for event in again.events if isinstance(event, RunResumed))
    assert resumed.at - handle.snapshot.at < 1.0 + snapshot.idle_s
    assert snapshot.wall_s(0.0) < 15


@pytest.mark.parametrize("workflow", shipped().workflows, ids=lambda workflow: workflow.name)
def test_every_shipped_workflow_comes_back_as_it_was(fanout_home: Path, workflow) -> None:
    with process(fanout_home, script()) as here:
        before = here.run(workflow, "rain or snow?\n---\nsnow or rain?")
    with process(fanout_home, script()) as here:
        handle = here.engine.get(before.run_id)
        assert handle is not None
        assert handle.fixed == ""
        assert handle.workflow == workflow
        after = handle.snapshot
        assert [b.text for b in after.calls] == [b.text for b in before.calls]
        assert [b.state for b in after.calls] == [b.state for b in before.calls]
        assert [b.ballot for b in after.calls] == [b.ballot for b in before.calls]


def test_a_run_whose_workflow_makes_no_sense_any_more_is_shown_but_not_resumed(
    fanout_home: Path,
) -> None:
    with process(fanout_home, script()) as here:
        before = here.run(trio())
    assert before.made_with is not None
    strange = replace(before.made_with, definition={"kind": "of-tomorrow"})
    with Store.open(fanout_home) as store:
        stored = store.load(before.run_id)
        assert stored is not None
        first, *rest = stored.events
        assert isinstance(first, RunStarted)
        first = replace(first, run_id=RunId("of-tomorrow-1234"), made_with=strange)
        picture = reduce(apply, rest, begin(first))
        store.write([Update(snapshot=picture, events=(first, *rest), first=0)])
    with process(fanout_home, script()) as here:
        handle = here.engine.get("of-tomorrow-1234")
        assert handle is not None
        assert "of-tomorrow" in handle.fixed
        assert not handle.resume()
        assert handle.snapshot.branch(AGGREGATE).text


def test_a_run_of_another_living_process_is_shown_while_it_goes_on(fanout_home: Path) -> None:
    slow = Reply(text="word " * 60, tokens_per_s=20)
    with process(fanout_home, script(otherwise=slow)) as one, process(fanout_home, script()) as two:
        handle = one.start(trio())
        for _ in handle.follow():
            if all(b.text for b in handle.snapshot.branches):
                break
        watched = two.engine.get(handle.id)
        assert watched is not None
        assert watched.fixed
        assert not watched.resume()
        assert watched.snapshot.status is RunStatus.RUNNING
        handle.stop()
        assert handle.wait(timeout_s=10).status is RunStatus.STOPPED
        ended = two.engine.get(handle.id)
        assert ended is not None


def test_a_retry_is_written_after_what_was_there(fanout_home: Path) -> None:
    broken = Reply(status=400, message="no")
    with process(fanout_home, script(QUICK, poem=(broken, QUICK))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        handle.resume(POEM)
        snapshot = handle.wait(timeout_s=20)
        assert snapshot.status is RunStatus.SUCCEEDED
    with Store.open(fanout_home) as store:
        stored = store.load(handle.id)
    assert stored is not None
    assert stored.snapshot.calls == snapshot.calls


def test_what_another_process_went_on_with_is_seen_and_not_asked_again(fanout_home: Path) -> None:
    broken = Reply(status=400, message="no")
    told = script(QUICK, poem=broken)
    with process(fanout_home, told) as one, process(fanout_home, script()) as two:
        handle = one.start(trio())
        assert handle.wait(timeout_s=20).status is RunStatus.PARTIAL
        elsewhere = two.engine.get(handle.id)
        assert elsewhere is not None
        assert elsewhere.resume()
        assert elsewhere.wait(timeout_s=20).status is RunStatus.SUCCEEDED
        asked = len(one.provider.requests)
        assert not handle.resume(), "it is complete by now"
        assert len(one.provider.requests) == asked
        opened = one.engine.get(handle.id)
        assert opened is not None
        assert opened.snapshot.status is RunStatus.SUCCEEDED


def test_a_deleted_run_is_not_found_until_it_is_restored(fanout_home: Path) -> None:
    with Store.open(fanout_home) as store, rig(script(), store=store) as here:
        run = here.run(trio())
        store.history.delete([run.run_id])
        assert here.engine.get(run.run_id) is None
        store.history.restore([run.run_id])
        assert here.engine.get(run.run_id) is not None


def test_a_live_run_that_is_deleted_is_stopped(fanout_home: Path) -> None:
    slow = Reply(text="word " * 600, tokens_per_s=20)
    with Store.open(fanout_home) as store, rig(script(otherwise=slow), store=store) as here:
        handle = here.start(trio())
        store.history.delete([handle.id])
        here.engine.forget([handle.id])
        assert handle.wait(timeout_s=10).status is RunStatus.STOPPED
        assert here.engine.get(handle.id) is None
