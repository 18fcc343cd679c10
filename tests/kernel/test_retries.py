"""The one retry loop: what is tried again, when, how often, and never after the first word."""

from __future__ import annotations

import pytest

from fanout.events import AttemptFailed
from fanout.insight.speed import usage, writing_rate
from fanout.kernel.retries import wait_s
from fanout.policies import RetryPolicy
from fanout.providers.script import Fault, Reply
from fanout.record import run_record
from fanout.types import BranchId, BranchState, Failure, FailureKind, RunStatus
from tests.rig import QUICK, rig, script, trio

POEM = BranchId("poem")
BUSY = Failure(kind=FailureKind.RATE_LIMIT, message="", retryable=True)
DENIED = Failure(kind=FailureKind.AUTH, message="")


@pytest.mark.parametrize(
    ("failure", "attempt", "wrote", "expected"),
    [
        (DENIED, 1, False, None),
        (BUSY, 4, False, None),
        (BUSY, 1, True, None),
        (
            Failure(kind=FailureKind.RATE_LIMIT, message="", retryable=True, retry_after_s=7),
            1,
            False,
            7,
        ),
        (
            Failure(kind=FailureKind.RATE_LIMIT, message="", retryable=True, retry_after_s=900),
            1,
            False,
            None,
        ),
    ],
)
def test_when_there_is_another_attempt(
    failure: Failure, attempt: int, wrote: bool, expected: float | None
) -> None:
    assert wait_s(RetryPolicy(restarts=0), failure, attempt, wrote=wrote) == expected


def test_waits_double_and_are_jittered_within_a_quarter() -> None:
    policy = RetryPolicy(attempts=9, first_wait_s=1.0, longest_wait_s=4.0)
    for attempt, middle in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 4.0)):
        waits = {wait_s(policy, BUSY, attempt) for _ in range(20)}
        assert len(waits) > 1, "jitter"
        assert all(wait is not None and middle * 0.75 <= wait <= middle * 1.25 for wait in waits)


def test_a_busy_endpoint_is_asked_again_and_the_wait_is_not_the_models() -> None:
    busy = Reply(status=429, retry_after="0.2")
    with rig(script(poem=(busy, QUICK))) as here:
        handle = here.start(trio())
        snapshot = handle.wait(timeout_s=20)
    poem = snapshot.branch(POEM)
    assert (poem.state, poem.attempts, poem.text) == (BranchState.DONE, 2, QUICK.text)
    assert poem.spent_s(BranchState.RETRYING, snapshot.at) >= 0.19
    apart = poem.own_s(snapshot.at) + sum(
        poem.spent_s(state, snapshot.at) for state in (BranchState.RETRYING, BranchState.QUEUED)
    )
    assert poem.finished_s is not None and poem.queued_s is not None
    assert apart == pytest.approx(poem.finished_s - poem.queued_s)
    failed = [event for event in handle.events if isinstance(event, AttemptFailed)]
    assert [event.failure.kind for event in failed] == [FailureKind.RATE_LIMIT]
    assert failed[0].retry_at == pytest.approx(failed[0].at + 0.2, abs=0.01)
    assert snapshot.status is RunStatus.SUCCEEDED


def test_attempts_are_capped() -> None:
    with rig(script(poem=Reply(status=503))) as here:
        snapshot = here.run(trio())
    assert snapshot.branch(POEM).attempts == 4


def test_after_the_first_word_there_is_no_silent_second_try() -> None:
    with rig(script(poem=(Reply(text="a b c d e", fault=Fault.DROPPED), QUICK))) as here:
        snapshot = here.run(trio())
    poem = snapshot.branch(POEM)
    assert (poem.state, poem.attempts) == (BranchState.FAILED, 1)


def test_a_person_may_ask_a_failed_branch_again_and_it_is_combined_anew() -> None:
    with rig(script(poem=(Reply(status=401), QUICK))) as here:
        handle = here.start(trio())
        assert handle.wait(timeout_s=20).status is RunStatus.PARTIAL
        before = handle.snapshot.seq
        handle.retry(POEM)
        while handle.snapshot.seq == before:
            handle.wait(timeout_s=0.01)
        snapshot = handle.wait(timeout_s=20)
        asked = len(here.provider.requests)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Synthesis of 3 of 3"
    assert snapshot.branch(POEM).text == QUICK.text
    assert asked == 3 + 1 + 1 + 1, "finished branches are not paid twice"


def test_what_was_asked_again_is_counted_each_time_but_its_speed_is_of_the_last_go() -> None:
    slow = Reply(text="one two three four five six", tokens_per_s=20, fault=Fault.DROPPED)
    fast = Reply(text="one two three four five six", tokens_per_s=200)
    with rig(script(poem=(slow, fast)), on_this_machine=True) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        first = handle.snapshot
        handle.retry(POEM)
        while handle.snapshot.seq == first.seq:
            handle.wait(timeout_s=0.01)
        snapshot = handle.wait(timeout_s=20)
    poem = snapshot.branch(POEM)
    assert [go.state for go in poem.goes] == [BranchState.FAILED, BranchState.DONE]
    assert poem.earlier[0].text, "the text of the earlier go is kept"
    rate = writing_rate(poem)
    assert rate is not None and rate > 60, "the slow go's seconds are not the fast one's"
    combining = [go for go in snapshot.goes if go.id == "aggregate"]
    assert len(combining) == 2, "the first synthesis was made and paid for too"
    record = run_record(snapshot, handle.now_s())
    branches = record["branches"]
    assert isinstance(branches, list)
    assert branches[2]["attempts"] == 2
    assert branches[2]["usage"]["output"] == usage(poem).output > (poem.usage or usage(poem)).output
