"""The answer waits for all, for k of n or for a deadline; what comes later is kept, and told."""

from __future__ import annotations

import pytest

from fanout.engine.handle import RunHandle
from fanout.events import FanInReached
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.snapshot import Snapshot
from fanout.types import BranchId, BranchState, FailureKind, RunStatus
from fanout.workflows.parsing import parse
from tests.rig import QUICK, rig, script, trio

POEM = BranchId("poem")
SLOW = Reply(text="A slow poem at last.", first_token_s=0.6)
HANGS = Reply(fault=Fault.STALL_FIRST)


def policies(**changes: object) -> dict[str, object]:
    return {"policies": changes}


def two_of_three(poem: Reply = SLOW, **more: object) -> tuple[Snapshot, RunHandle]:
    with rig(script(poem=poem)) as here:
        handle = here.start(trio(**policies(fan_in={"k": 2, **more})))
        return handle.wait(timeout_s=20), handle


def test_two_of_three_are_combined_while_the_third_still_writes() -> None:
    snapshot, handle = two_of_three()
    reached = [event for event in handle.events if isinstance(event, FanInReached)]
    assert [(event.late, event.by) for event in reached] == [((POEM,), "k_of_n")]
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.used == ("joke", "story")
    assert snapshot.aggregate.heading == "Synthesis of 2 of 3: Poem came too late"
    poem = snapshot.branch(POEM)
    assert poem.state is BranchState.DONE
    assert poem.text == SLOW.text, "what came later is kept"
    assert [late.id for late in snapshot.late] == [POEM]
    finished = snapshot.aggregate.branch.finished_s
    assert finished is not None and poem.finished_s is not None and finished < poem.finished_s
    assert snapshot.status is RunStatus.PARTIAL, "the answer lacks a branch, and says so"


def test_what_came_later_can_be_folded_in_without_asking_a_branch_again() -> None:
    with rig(script(poem=SLOW)) as here:
        handle = here.start(trio(**policies(fan_in={"k": 2})))
        handle.wait(timeout_s=20)
        asked = len(here.provider.requests)
        seq = handle.snapshot.seq
        handle.fold_in()
        while handle.snapshot.seq == seq:
            handle.wait(timeout_s=0.01)
        snapshot = handle.wait(timeout_s=20)
        assert len(here.provider.requests) == asked + 1
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Synthesis of 3 of 3"
    assert snapshot.status is RunStatus.SUCCEEDED
    assert not snapshot.late


def test_a_deadline_combines_what_is_there() -> None:
    with rig(script(poem=SLOW)) as here:
        snapshot = here.run(trio(**policies(fan_in={"deadline_s": 0.2})))
    assert snapshot.fan_in is not None and snapshot.fan_in.by == "deadline"
    assert snapshot.aggregate is not None and snapshot.aggregate.used == ("joke", "story")


def test_at_a_deadline_with_nothing_the_first_answer_is_waited_for() -> None:
    late = Reply(text="Late.", first_token_s=0.4)
    later = Reply(text="Later.", first_token_s=0.9)
    with rig(script(otherwise=later, joke=late)) as here:
        snapshot = here.run(trio(**policies(fan_in={"deadline_s": 0.1})))
    assert snapshot.aggregate is not None and snapshot.aggregate.used == ("joke",)


def test_where_k_can_not_be_reached_any_more_what_there_is_gets_combined() -> None:
    with rig(script(joke=Reply(status=401), story=Reply(status=401))) as here:
        snapshot = here.run(trio(**policies(fan_in={"k": 2})))
    assert snapshot.fan_in is None
    assert snapshot.aggregate is not None and snapshot.aggregate.used == (POEM,)


def test_all_in_time_is_as_if_there_were_no_policy() -> None:
    with rig(script(otherwise=QUICK)) as here:
        snapshot = here.run(trio(**policies(fan_in={"k": 3, "deadline_s": 20})))
    assert snapshot.fan_in is None
    assert snapshot.status is RunStatus.SUCCEEDED


def test_stop_ends_the_stragglers_too_and_keeps_the_answer() -> None:
    with rig(script(poem=HANGS)) as here:
        handle = here.start(trio(**policies(fan_in={"k": 2})))
        for _ in handle.follow():
            made = handle.snapshot.aggregate
            if made is not None and made.branch.state.finished:
                break
        handle.stop()
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.status is RunStatus.STOPPED
    assert snapshot.aggregate is not None and snapshot.aggregate.text == QUICK.text


def test_the_whole_runs_deadline_times_out_what_is_open_and_combines_nothing_more() -> None:
    with rig(script(poem=HANGS)) as here:
        handle = here.start(trio(**policies(run_s=0.4)))
        snapshot = handle.wait(timeout_s=5)
        assert here.provider.streaming == 0
    poem = snapshot.branch(POEM)
    assert poem.state is BranchState.TIMED_OUT
    assert poem.failure is not None and poem.failure.kind is FailureKind.TIMEOUT_TOTAL
    assert "0.4 s" in poem.failure.message
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.branch.state is BranchState.TIMED_OUT
    assert snapshot.status is RunStatus.PARTIAL


@pytest.mark.parametrize("reply", [QUICK, Reply(status=401)])
def test_a_run_within_its_deadline_ends_as_always(reply: Reply) -> None:
    with rig(script(poem=reply)) as here:
        snapshot = here.run(trio(**policies(run_s=20)))
    assert snapshot.wall_s(snapshot.at) < 5
    assert snapshot.branch(POEM).state.finished


def jury(**vote: object) -> Snapshot:
    """Three moderators of whom the third is slow; two are enough."""
    data = {
        "title": "Jury",
        "kind": "moderation",
        "prompt": "Judge: {content}",
        "vote": {"rule": "majority", **vote},
        "branches": [{"id": f"m{n}", "title": f"M{n}"} for n in (1, 2)]
        + [{"id": "m3", "title": "M3", "prompt": "Slowly judge: {content}"}],
        "aggregate": {"kind": "vote", "title": "Verdict"},
        "policies": {"fan_in": {"k": 2}},
    }
    said = '{"reason": "fine", "category": "none", "verdict": "allow"}'
    slow = Rule(prompt="Slowly", replies=(Reply(text=said, first_token_s=0.6),))
    with rig(Script(rules=(slow,), otherwise=Reply(text=said))) as here:
        return here.run(parse(data, name="jury"))


def test_votes_too_are_counted_by_k_of_n() -> None:
    snapshot = jury(early_stop="never")
    assert snapshot.aggregate is not None
    assert snapshot.fan_in is not None and snapshot.fan_in.late == ("m3",)
    assert snapshot.aggregate.branch.state is BranchState.DONE


def test_a_vote_that_was_called_off_did_not_come_too_late() -> None:
    snapshot = jury(early_stop="decided")
    assert snapshot.branch(BranchId("m3")).state is BranchState.SKIPPED
    assert snapshot.fan_in is None
    assert snapshot.aggregate is not None and "too late" not in snapshot.aggregate.heading


def test_where_nothing_is_combined_nothing_can_be_late() -> None:
    with rig(script(poem=SLOW)) as here:
        flow = trio(aggregate=None, policies={"fan_in": {"k": 2}})
        snapshot = here.run(flow)
    assert snapshot.fan_in is None
    assert snapshot.status is RunStatus.SUCCEEDED


def test_a_branch_that_is_asked_again_is_waited_for_although_enough_were_done_before() -> None:
    again = (Reply(status=401), Reply(text="A poem after all.", first_token_s=0.2))
    with rig(script(poem=again)) as here:
        handle = here.start(trio(**policies(fan_in={"k": 2})))
        first = handle.wait(timeout_s=20)
        assert first.status is RunStatus.PARTIAL
        assert handle.resume(POEM)
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Synthesis of 3 of 3"
    assert snapshot.status is RunStatus.SUCCEEDED


def test_in_a_run_that_goes_on_too_what_comes_late_is_told() -> None:
    quick = (Reply(status=401), Reply(text="A story."))
    slow = (Reply(status=401), Reply(text="A poem.", first_token_s=0.6))
    with rig(script(story=quick, poem=slow)) as here:
        handle = here.start(trio(**policies(fan_in={"k": 1})))
        handle.wait(timeout_s=20)
        assert handle.resume()
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.aggregate is not None and snapshot.aggregate.used == ("joke", "story")
    assert [late.id for late in snapshot.late] == [POEM]
    assert snapshot.status is RunStatus.PARTIAL
