"""Branches that begin alike wait for one that goes ahead, or for their server."""

from __future__ import annotations

from fanout.events import AttemptStarted, BranchHeld, BranchWrote, PrefixOpened
from fanout.policies import HoldReason
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.types import BranchId, BranchState
from fanout.workflows.definition import Workflow
from tests.rig import QUICK, rig, trio

LONG = "The same long text stands before every question. " * 200
ASKED = Reply(text="One two three.", first_token_s=0.2)


def alike(prefix: str = "on") -> Workflow:
    return trio(shared=LONG, aggregate=None, policies={"prefix": prefix})


def test_the_others_start_at_the_first_token_of_the_one_that_goes_ahead() -> None:
    with rig(Script(otherwise=ASKED)) as here:
        handle = here.start(alike())
        snapshot = handle.wait(timeout_s=10)
        events = handle.events
    (opened,) = (event for event in events if isinstance(event, PrefixOpened))
    assert opened.branches == ("joke", "story", "poem")
    assert opened.by == "joke"
    assert opened.tokens > 1000
    assert 0.15 < opened.took_s < 2
    held = [event for event in events if isinstance(event, BranchHeld)]
    assert [(event.id, event.reason) for event in held] == [
        ("story", HoldReason.PREFIX),
        ("poem", HoldReason.PREFIX),
    ]
    first_word = next(e.at for e in events if isinstance(e, BranchWrote) and e.id == "joke")
    starts = {e.id: e.at for e in events if isinstance(e, AttemptStarted)}
    assert (
        starts[BranchId("joke")]
        < first_word
        <= min(starts[BranchId("story")], starts[BranchId("poem")])
    )
    assert snapshot.branch(BranchId("poem")).held_s(HoldReason.PREFIX, snapshot.at) > 0.15


def test_where_the_one_that_goes_ahead_fails_the_others_start() -> None:
    joke = Rule(prompt="Write a joke", replies=(Reply(fault=Fault.EMPTY),))
    with rig(Script(rules=(joke,), otherwise=QUICK)) as here:
        snapshot = here.run(alike())
    states = [branch.state for branch in snapshot.branches]
    assert states == [BranchState.FAILED, BranchState.DONE, BranchState.DONE]
    assert not snapshot.prefixes


def test_where_it_is_stopped_the_others_start() -> None:
    joke = Rule(prompt="Write a joke", replies=(Reply(fault=Fault.STALL_FIRST),))
    with rig(Script(rules=(joke,), otherwise=QUICK)) as here:
        handle = here.start(alike())
        for event in handle.follow():
            if isinstance(event, BranchHeld):
                break
        handle.stop(BranchId("joke"))
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.branch(BranchId("poem")).state is BranchState.DONE


def test_off_starts_all_at_once() -> None:
    with rig(Script(otherwise=ASKED)) as here:
        snapshot = here.run(alike("off"))
    assert not snapshot.prefixes
    assert all(branch.holds == () for branch in snapshot.branches)


def test_after_two_openings_that_brought_nothing_auto_gives_up() -> None:
    with rig(Script(otherwise=QUICK)) as here:
        opened = [bool(here.run(alike("auto")).prefixes) for _ in range(4)]
    assert opened == [True, True, False, False]


def test_where_it_brings_cached_tokens_auto_goes_on() -> None:
    with rig(Script(otherwise=Reply(text="One.", cached_tokens=900))) as here:
        opened = [bool(here.run(alike("auto")).prefixes) for _ in range(4)]
    assert opened == [True] * 4
