"""Votes that can't matter any more are called off: at once, visibly, and without any effect."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.insight.votes import saved
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Fault, Reply
from fanout.providers.scripted_server import serving
from fanout.snapshot import Snapshot
from fanout.types import BranchId, BranchState, Price, RunStatus
from fanout.voting.tally import Tally
from fanout.workflows.definition import Workflow
from tests.rig import AT_ONCE, HERE, MODEL, rig
from tests.workflows.panels import (
    Answer,
    afterwards,
    moderation,
    panel,
    record_of,
    replies,
    tally_of,
    verdict,
)

FIVE = ("a", "b", "c", "d", "e")
NEVER_COMES = Reply(fault=Fault.STALL_FIRST)
MIDWAY = Reply(text=verdict("block"), fault=Fault.STALL_MIDWAY)
RULES: tuple[tuple[str, dict[str, object]], ...] = (
    ("majority", {}),
    ("plurality", {}),
    ("unanimity", {}),
    ("any_block", {}),
    ("k_of_n", {"k": 2}),
    ("weighted", {}),
)


def answers(votes: Mapping[str, str], rest: Reply) -> dict[str, Answer]:
    """Those who vote do so at once; all others answer with `rest`."""
    said: dict[str, Answer] = dict.fromkeys(FIVE, rest)
    return {**said, **{name: verdict(choice) for name, choice in votes.items()}}


def deciding(early_stop: str = "decided", rule: str = "majority", **vote: object) -> Workflow:
    return moderation(FIVE, rule, early_stop=early_stop, **vote)


def states(snapshot: Snapshot) -> dict[str, BranchState]:
    return {str(branch.id): branch.state for branch in snapshot.branches}


def test_a_decided_vote_calls_off_the_rest_and_the_run_succeeds() -> None:
    votes = dict.fromkeys("abc", "allow")
    with rig(replies(answers(votes, NEVER_COMES))) as here:
        handle = here.start(deciding(), "Hello.")
        snapshot = handle.wait(timeout_s=20)
        assert here.provider.streaming == 0
    assert snapshot.status is RunStatus.SUCCEEDED
    assert [states(snapshot)[name] for name in "de"] == [BranchState.SKIPPED] * 2
    assert all(branch.failure is None for branch in snapshot.branches)
    tally = tally_of(snapshot)
    assert (tally.winner, tally.valid, tally.not_needed, tally.abstained) == ("allow", 3, 2, 0)
    record = record_of(handle)
    assert [branch["status"] for branch in record["branches"]][3:] == ["skipped", "skipped"]
    assert record["aggregate"]["outcome"]["saved"]["calls"] == 2
    assert record["aggregate"]["heading"] == "Verdict of 3 of 5: d not needed, e not needed"


def test_the_connections_of_votes_that_are_not_needed_are_closed() -> None:
    # Late enough for the other two to be connected by then.
    votes: dict[str, Answer] = dict.fromkeys("abc", Reply(text=verdict("allow"), first_token_s=0.5))
    with serving(replies({**dict.fromkeys(FIVE, MIDWAY), **votes})) as server:
        book = EndpointBook(OpenAICompatible)
        book.put(Endpoint(id=HERE, name="Here", base_url=server.base_url))
        with Engine(book, retries=AT_ONCE) as engine:
            snapshot = engine.start(deciding(), "Hello.", MODEL).wait(timeout_s=20)
            assert server.wait_until(lambda s: s.disconnects == 2 and s.in_flight == 0)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert [states(snapshot)[name] for name in "de"] == [BranchState.SKIPPED] * 2


def test_votes_that_wait_for_a_slot_are_never_sent() -> None:
    with rig(replies(answers(dict.fromkeys(FIVE, "block"), NEVER_COMES)), slots=1) as here:
        snapshot = here.run(deciding(rule="any_block"), "Hello.")
        assert len(here.provider.requests) == 1
    assert list(states(snapshot).values()).count(BranchState.SKIPPED) == 4
    skipped = [b for b in snapshot.branches if b.state is BranchState.SKIPPED]
    assert all(b.started_s is None and b.usage is not None for b in skipped)
    assert all(b.usage.output == b.usage.input == 0 for b in skipped if b.usage)


def test_what_was_saved_is_the_median_vote_less_what_the_rest_had_spent() -> None:
    price = Price(input=Decimal(0), output=Decimal(10), source="your own price")
    votes = dict.fromkeys("abc", "allow")
    with rig(replies(answers(votes, MIDWAY))) as here:
        here.engine.endpoints.put(Endpoint(id=HERE, name="Here", base_url="", prices={"*": price}))
        handle = here.start(deciding(), "Hello.")
        snapshot = handle.wait(timeout_s=20)
    found = saved(snapshot)
    cast = [b.usage.output for b in snapshot.branches if b.state.succeeded and b.usage]
    spent = sum(b.usage.output for b in snapshot.branches[3:] if b.usage)
    assert found is not None and found.calls == 2
    assert found.tokens == 2 * cast[0] - spent > 0
    assert found.usd == Decimal(found.tokens) * 10 / 1_000_000
    record = record_of(handle)["aggregate"]["outcome"]["saved"]
    assert record == {"calls": 2, "tokens": found.tokens, "usd": float(found.usd)}


def test_an_unknown_price_saves_an_unknown_sum() -> None:
    with rig(replies(answers(dict.fromkeys("abc", "allow"), NEVER_COMES))) as here:
        handle = here.start(deciding(), "Hello.")
        handle.wait(timeout_s=20)
    assert record_of(handle)["aggregate"]["outcome"]["saved"]["usd"] is None


def test_never_waits_for_every_vote() -> None:
    votes = dict.fromkeys("abc", "allow")
    late = Reply(text=verdict("block"), first_token_s=0.15)
    with rig(replies(answers(votes, late))) as here:
        handle = here.start(deciding("never"), "Hello.")
        snapshot = handle.wait(timeout_s=20)
    assert set(states(snapshot).values()) == {BranchState.DONE}
    assert saved(snapshot) is None
    assert record_of(handle)["aggregate"]["outcome"]["saved"] is None


def reasoning(names: tuple[str, ...], early_stop: str) -> Workflow:
    return panel("reasoning", names, vote={"rule": "plurality", "early_stop": early_stop})


def test_likely_calls_off_what_decided_still_waits_for() -> None:
    ten = tuple("abcdefghij")
    sure: dict[str, Answer] = dict.fromkeys(ten[:4], "Final answer: 8")
    for early_stop, rest in (
        ("likely", NEVER_COMES),
        ("decided", Reply(text="Final answer: 9", first_token_s=0.15)),
    ):
        script = replies({**dict.fromkeys(ten, rest), **sure})
        with rig(script, slots=10) as here:
            snapshot = here.run(reasoning(ten, early_stop), "How many legs?")
        skipped = list(states(snapshot).values()).count(BranchState.SKIPPED)
        tally = tally_of(snapshot)
        if early_stop == "likely":
            assert (tally.winner, skipped) == ("8", 6)
        else:
            assert (tally.winner, skipped) == ("9", 0)


def test_a_failed_vote_can_be_what_decides() -> None:
    said: dict[str, Answer] = {
        **answers(dict.fromkeys("ab", "allow"), NEVER_COMES),
        "c": Reply(status=401, first_token_s=0.05),
        "d": Reply(status=401, first_token_s=0.05),
    }
    with rig(replies(said)) as here:
        snapshot = here.run(deciding(rule="plurality"), "Hello.")
    assert states(snapshot)["e"] is BranchState.SKIPPED
    assert tally_of(snapshot).winner == "allow"
    assert snapshot.status is RunStatus.PARTIAL


def test_stop_leaves_votes_stopped_and_not_skipped() -> None:
    said = answers({"a": "allow"}, NEVER_COMES)
    with rig(replies(said)) as here:
        handle = here.start(deciding(), "Hello.")
        for _ in handle.follow():
            waiting = [b.state for b in handle.snapshot.branches].count(BranchState.WAITING)
            if handle.snapshot.branch(BranchId("a")).ballot is not None and waiting == 4:
                handle.stop()
                break
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.status is RunStatus.STOPPED
    assert [states(snapshot)[name] for name in "bcde"] == [BranchState.STOPPED] * 4


def test_retry_after_an_early_stop_asks_nobody_unless_a_vote_is_named() -> None:
    said: dict[str, Answer] = {
        **answers(dict.fromkeys("abc", "allow"), NEVER_COMES),
        "d": (NEVER_COMES, Reply(text=verdict("block"))),
    }
    with rig(replies(said)) as here:
        handle = here.start(deciding(), "Hello.")
        first = handle.wait(timeout_s=20)
        same = afterwards(here, handle, handle.retry)
        assert same == first
        asked = len(here.provider.requests)
        snapshot = afterwards(here, handle, lambda: handle.retry(BranchId("d")))
        assert len(here.provider.requests) == asked + 1
    assert [states(snapshot)[name] for name in "de"] == [BranchState.DONE, BranchState.SKIPPED]
    tally = tally_of(snapshot)
    assert (tally.winner, tally.valid, tally.not_needed) == ("allow", 4, 1)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Verdict of 4 of 5: e not needed"


VOTE = st.sampled_from(("allow", "flag", "block", "prose", "failed"))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    votes=st.lists(VOTE, min_size=1, max_size=5),
    order=st.permutations(range(5)),
    rule=st.sampled_from(RULES),
    weights=st.lists(st.sampled_from((0.5, 1.0, 3.0)), min_size=5, max_size=5),
)
def test_a_strict_early_stop_never_changes_the_outcome(
    votes: list[str],
    order: list[int],
    rule: tuple[str, dict[str, object]],
    weights: list[float],
) -> None:
    voters = dict(zip(FIVE[: len(votes)], weights, strict=False))
    kind, options = rule
    if kind == "k_of_n":
        options = {"k": min(2, len(votes))}
    said = {name: spoken(vote, 0.01 * n) for name, vote, n in zip(FIVE, votes, order, strict=False)}
    full, short = (
        outcome(moderation(voters, kind, early_stop=early_stop, **options), said)
        for early_stop in ("never", "decided")
    )
    assert (short.winner, short.tied) == (full.winner, full.tied)


def spoken(vote: str, after_s: float) -> Answer:
    if vote == "failed":
        return Reply(status=401, first_token_s=after_s)
    return Reply(text=vote if vote == "prose" else verdict(vote), first_token_s=after_s)


def outcome(workflow: Workflow, said: Mapping[str, Answer]) -> Tally:
    with rig(replies(said)) as here:
        return tally_of(here.run(workflow, "Hello."))


@pytest.mark.parametrize("early_stop", ["never", "decided", "likely"])
def test_one_voter_alone_is_heard_whatever_the_setting(early_stop: str) -> None:
    with rig(replies({"a": verdict("flag")})) as here:
        snapshot = here.run(moderation(("a",), early_stop=early_stop), "Hello.")
    assert (tally_of(snapshot).winner, snapshot.status) == ("flag", RunStatus.SUCCEEDED)
    assert tally_of(snapshot).agreement is None
