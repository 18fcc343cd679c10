"""Stop: of one branch or of all, at any moment; text is kept and the connection closes."""

from __future__ import annotations

import pytest

from fanout.engine.handle import RunHandle
from fanout.providers.script import Fault, Reply
from fanout.types import BranchId, BranchState, RunStatus
from tests.rig import QUICK, rig, script, trio

SLOW = Reply(text="word " * 200, tokens_per_s=100)
POEM = BranchId("poem")


def until_writing(handle: RunHandle, branch: BranchId) -> None:
    for _ in handle.follow():
        if handle.snapshot.branch(branch).state is BranchState.WRITING:
            return
    raise AssertionError("it never wrote")


def test_stop_keeps_the_text_and_closes_the_connections() -> None:
    with rig(script(otherwise=SLOW)) as here:
        handle = here.start(trio())
        until_writing(handle, POEM)
        handle.stop()
        snapshot = handle.wait(timeout_s=5)
        assert here.provider.streaming == 0
    assert snapshot.status is RunStatus.STOPPED
    assert snapshot.aggregate is None
    assert all(branch.state is BranchState.STOPPED for branch in snapshot.branches)
    assert snapshot.branch(POEM).text.startswith("word")
    assert all(branch.failure is None for branch in snapshot.branches)


def test_one_stopped_branch_leaves_the_others_running_and_the_heading_says_so() -> None:
    with rig(script(poem=SLOW)) as here:
        handle = here.start(trio())
        until_writing(handle, POEM)
        handle.stop(POEM)
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.status is RunStatus.PARTIAL
    assert snapshot.branch(POEM).state is BranchState.STOPPED
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Synthesis of 2 of 3: Poem stopped"


@pytest.mark.parametrize(
    "reply",
    [Reply(fault=Fault.STALL_FIRST), Reply(status=429, retry_after="1.5")],
    ids=["waiting", "backing off"],
)
def test_a_branch_can_be_stopped_while_it_waits(reply: Reply) -> None:
    with rig(script(poem=reply)) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            branches = handle.snapshot.branches
            waiting = branches[2].state in (BranchState.WAITING, BranchState.RETRYING)
            if waiting and all(branch.state is BranchState.DONE for branch in branches[:2]):
                break
        handle.stop(POEM)
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.branch(POEM).state is BranchState.STOPPED
    assert snapshot.status is RunStatus.PARTIAL


def test_a_queued_branch_can_be_stopped_before_it_is_sent() -> None:
    with rig(script(joke=SLOW), slots=1) as here:
        handle = here.start(trio())
        until_writing(handle, BranchId("joke"))
        assert handle.snapshot.branch(POEM).state is BranchState.QUEUED
        handle.stop(POEM)
        handle.stop(BranchId("joke"))
        snapshot = handle.wait(timeout_s=5)
        asked = [request.messages[0].content for request in here.provider.requests]
    assert snapshot.branch(POEM).state is BranchState.STOPPED
    assert snapshot.branch(POEM).started_s is None
    assert not any(text.startswith("Write a poem") for text in asked)


def test_stopping_the_combining_call_keeps_what_it_wrote() -> None:
    with rig(script(combine=SLOW)) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            aggregate = handle.snapshot.aggregate
            if aggregate and aggregate.branch.text:
                break
        handle.stop()
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.status is RunStatus.STOPPED
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.branch.state is BranchState.STOPPED
    assert snapshot.aggregate.branch.text


def test_stopping_a_finished_run_changes_nothing() -> None:
    with rig(script(otherwise=QUICK)) as here:
        handle = here.start(trio())
        before = handle.wait(timeout_s=5)
        handle.stop()
        here.engine.call(_nothing)
        assert handle.snapshot == before


async def _nothing() -> None:
    """Let the loop take a turn, so that what was sent to it before has happened."""
