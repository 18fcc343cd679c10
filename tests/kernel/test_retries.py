"""The one retry loop: what is tried again, when, how often, and visibly after the first word."""

from __future__ import annotations

import pytest

from fanout.events import AttemptFailed, BranchThought
from fanout.insight.speed import usage, writing_rate
from fanout.kernel.retries import wait_s
from fanout.policies import EndpointPolicy, RetryPolicy
from fanout.providers.script import Fault, Reply
from fanout.record import run_record
from fanout.snapshot import Snapshot
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


def test_who_asks_to_wait_for_no_time_is_waited_for_as_if_it_had_said_nothing() -> None:
    at_once = Failure(kind=FailureKind.RATE_LIMIT, message="", retryable=True, retry_after_s=0)
    waits = [wait_s(RetryPolicy(first_wait_s=1.0), at_once, attempt) or 0.0 for attempt in (1, 2)]
    assert 0.75 <= waits[0] <= 1.25 and 1.5 <= waits[1] <= 2.5


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


def test_where_restarts_are_off_an_answer_that_broke_off_has_failed() -> None:
    with rig(script(poem=(Reply(text="a b c d e", fault=Fault.DROPPED), QUICK))) as here:
        snapshot = here.run(trio())
    poem = snapshot.branch(POEM)
    assert (poem.state, poem.attempts) == (BranchState.FAILED, 1)


CUT = Reply(text="a b c d e", fault=Fault.DROPPED)


def own_policies(poem: tuple[Reply, ...], **retries: object) -> Snapshot:
    """A run by the workflow's own policies, not the rig's."""
    changes: dict[str, object] = {
        "policies": {"retries": {"first_wait_s": 0.01, **retries}},
        "aggregate": None,
    }
    with rig(script(poem=poem), retries=None) as here:
        return here.run(trio(**changes))


def test_an_answer_that_broke_off_is_begun_anew_once_and_says_so() -> None:
    snapshot = own_policies((CUT, QUICK))
    poem = snapshot.branch(POEM)
    assert (poem.state, poem.attempts, poem.text) == (BranchState.DONE, 2, QUICK.text)
    assert [failure.kind for failure in poem.setbacks] == [FailureKind.CONNECTION]
    assert poem.usage is not None and poem.usage.estimated, "what broke off was paid for too"


def test_the_second_time_it_breaks_off_it_has_failed_and_keeps_its_text() -> None:
    poem = own_policies((CUT, CUT, QUICK)).branch(POEM)
    assert (poem.state, poem.attempts) == (BranchState.FAILED, 2)
    assert poem.text.startswith("a b")


def test_text_that_was_dropped_comes_back_where_nothing_better_came() -> None:
    poem = own_policies((CUT, Reply(status=401))).branch(POEM)
    assert poem.state is BranchState.FAILED
    assert poem.text.startswith("a b")


def test_no_attempt_begins_later_than_the_total_time_allows() -> None:
    busy = Reply(status=503, retry_after="5")
    poem = own_policies((busy,), total_s=1).branch(POEM)
    assert (poem.state, poem.attempts) == (BranchState.FAILED, 1)


def test_an_endpoints_own_number_of_attempts_wins() -> None:
    with rig(script(poem=Reply(status=503)), policy=EndpointPolicy(attempts=2)) as here:
        assert here.run(trio()).branch(POEM).attempts == 2


def test_a_model_that_thinks_long_is_waited_for_where_the_endpoint_allows_it() -> None:
    thinks = Reply(text="Well.", reasoning="hm " * 40, first_token_s=0.3, tokens_per_s=200)
    slow = trio(deadlines={"first_token_s": 0.1, "idle_s": 5})
    with rig(script(poem=thinks)) as here:
        poem = here.run(slow).branch(POEM)
    assert poem.failure is not None and poem.failure.kind is FailureKind.TIMEOUT_FIRST_TOKEN
    with rig(script(poem=thinks), policy=EndpointPolicy(first_token_s=0)) as here:
        poem = here.run(slow).branch(POEM)
    assert (poem.state, poem.text) == (BranchState.DONE, "Well.")


def test_thinking_is_a_sign_of_life() -> None:
    # Ten times as long as the first word may take.
    thinks = Reply(text="Well.", reasoning="hm " * 100, tokens_per_s=100)
    with rig(script(poem=thinks)) as here:
        handle = here.start(trio(deadlines={"first_token_s": 0.1, "idle_s": 5}))
        poem = handle.wait(timeout_s=20).branch(POEM)
        thoughts = sum(e.pieces for e in handle.events if isinstance(e, BranchThought))
    assert (poem.state, poem.text) == (BranchState.DONE, "Well.")
    assert thoughts == poem.thought > 50


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


@pytest.mark.parametrize(
    ("reply", "deadlines"),
    [
        (Reply(fault=Fault.STALL_FIRST), {"first_token_s": 0.1}),
        (Reply(text="One two three four.", fault=Fault.STALL_MIDWAY), {"idle_s": 0.1}),
        (Reply(text="One two. " * 99, tokens_per_s=50), {"total_s": 0.2}),
    ],
)
def test_a_deadline_that_passed_says_whose_answer_was_waited_for(
    reply: Reply, deadlines: dict[str, float]
) -> None:
    with rig(script(poem=reply)) as here:
        failure = here.run(trio(deadlines=deadlines)).branch(POEM).failure
    assert failure is not None and failure.timed_out
    assert "m" in failure.message.split(" ")
