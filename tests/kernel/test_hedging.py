"""A second request where the first word is late: the first to answer wins, both are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import pytest

from fanout.budget.budgets import Budgets, worst_usd_by
from fanout.budget.caps import Caps, DayCaps
from fanout.budget.ledger import Booking, Claim, DayTaken, Sized
from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.events import HedgeSent, HedgeSettled
from fanout.export.importing_order import picture
from fanout.policies import Budget
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.providers.scripted import Scripted
from fanout.types import BranchId, BranchState, FailureKind
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.rig import HERE, MODEL, QUICK, Rig, rig, trio

POEM = BranchId("poem")
HEDGED = {"enabled": True, "least_s": 0.1, "share": 0.5}
HANGS = Reply(fault=Fault.STALL_FIRST)
FAST = Reply(text="The second one was faster.")


def hedged(**changes: object) -> Workflow:
    return trio(["poem"], aggregate=None, policies={"hedging": {**HEDGED, **changes}})


@contextmanager
def with_history(*replies: Reply) -> Iterator[Rig]:
    """An endpoint whose model has been quick 24 times, and then answers a poem so."""
    poem = Rule(prompt="Write a poem", replies=replies)
    with rig(Script(rules=(poem,), otherwise=QUICK)) as here:
        warm = trio([f"b{n}" for n in range(24)], aggregate=None)
        here.run(warm)
        yield here


def test_the_second_request_answers_where_the_first_hangs() -> None:
    with with_history(HANGS, FAST) as here:
        handle = here.start(hedged())
        snapshot = handle.wait(timeout_s=5)
        events = handle.events
        assert here.provider.streaming == 0, "the loser was hung up on"
    poem = snapshot.branch(POEM)
    assert (poem.state, poem.text) == (BranchState.DONE, FAST.text)
    assert poem.attempts == 1, "a second request is no second attempt"
    (hedge,) = poem.hedges
    assert hedge.settled and hedge.won is True
    assert hedge.late_s == pytest.approx(0.1, abs=0.05)
    assert [type(e) for e in events if isinstance(e, HedgeSent | HedgeSettled)] == [
        HedgeSent,
        HedgeSettled,
    ]


def test_both_requests_are_counted() -> None:
    with with_history(HANGS, FAST) as here:
        twice = here.run(hedged()).branch(POEM)
    with with_history(FAST) as here:
        once = here.run(hedged()).branch(POEM)
    assert once.usage is not None and twice.usage is not None
    assert not once.hedges
    assert twice.usage.input > once.usage.input
    assert twice.usage.output == once.usage.output
    assert twice.usage.estimated and not once.usage.estimated


def test_the_first_may_still_win() -> None:
    with with_history(Reply(text="First.", first_token_s=0.3), HANGS) as here:
        poem = here.run(hedged()).branch(POEM)
        assert here.provider.streaming == 0
    assert poem.text == "First."
    assert [hedge.won for hedge in poem.hedges] == [False]


def test_where_the_second_fails_the_first_goes_on() -> None:
    with with_history(Reply(text="First.", first_token_s=0.4), Reply(status=500)) as here:
        poem = here.run(hedged()).branch(POEM)
    assert (poem.state, poem.text) == (BranchState.DONE, "First.")


def test_where_the_first_fails_late_the_second_goes_on() -> None:
    slow = Reply(text="Second.", first_token_s=0.5)
    late_error = Reply(status=500, first_token_s=0.2)
    with with_history(late_error, slow) as here:
        poem = here.run(hedged()).branch(POEM)
    assert (poem.state, poem.text) == (BranchState.DONE, "Second.")


def test_where_both_fail_the_branch_is_asked_again_as_always() -> None:
    bad = Reply(status=500, first_token_s=0.2)
    with with_history(bad, Reply(status=500), FAST) as here:
        poem = here.run(hedged()).branch(POEM)
    assert (poem.state, poem.text, poem.attempts) == (BranchState.DONE, FAST.text, 2)
    assert [hedge.won for hedge in poem.hedges] == [None]


def test_nothing_is_hedged_before_the_models_usual_time_is_known() -> None:
    slow = Reply(text="Slow.", first_token_s=0.3)
    with rig(Script(otherwise=slow)) as here:
        poem = here.run(hedged()).branch(POEM)
    assert not poem.hedges


def test_off_is_off() -> None:
    with with_history(Reply(text="Slow.", first_token_s=0.3), HANGS) as here:
        poem = here.run(hedged(enabled=False)).branch(POEM)
    assert not poem.hedges


def test_stop_ends_both() -> None:
    with with_history(HANGS) as here:
        handle = here.start(hedged())
        for event in handle.follow():
            if isinstance(event, HedgeSent):
                break
        handle.stop()
        snapshot = handle.wait(timeout_s=5)
        assert here.provider.streaming == 0
    poem = snapshot.branch(POEM)
    assert poem.state is BranchState.STOPPED
    assert poem.failure is None or poem.failure.kind is not FailureKind.BUG
    assert [(hedge.settled, hedge.won) for hedge in poem.hedges] == [(True, None)]


def test_only_a_small_share_of_calls_is_hedged() -> None:
    slow = Reply(text="Slow.", first_token_s=0.4)
    names = [f"poem{n}" for n in range(20)]
    poem = Rule(prompt="Write a poem", replies=(slow,))
    workflow = trio(names, aggregate=None, policies={"hedging": {**HEDGED, "share": 0.05}})
    with rig(Script(rules=(poem,), otherwise=QUICK), slots=40) as here:
        here.run(trio([f"b{n}" for n in range(24)], aggregate=None))
        snapshot = here.run(workflow)
    sent = sum(len(branch.hedges) for branch in snapshot.branches)
    assert 1 <= sent <= 3, "5 % of 44 calls"


def test_where_both_are_refused_their_form_the_race_is_told_once() -> None:
    refused = Reply(
        status=400, first_token_s=0.2, message="response_format json_schema is not supported"
    )
    vote = Reply(text='{"reason": "fine", "category": "none", "verdict": "allow"}')
    jury = {
        "title": "Jury",
        "kind": "moderation",
        "prompt": "Write a poem: {content}",
        "branches": [{"id": "poem", "title": "Poem"}],
        "policies": {"hedging": HEDGED},
    }
    with with_history(refused, refused, vote) as here:
        handle = here.start(parse(jury, name="jury"))
        poem = handle.wait(timeout_s=5).branch(POEM)
    assert (poem.state, poem.attempts) == (BranchState.DONE, 1)
    assert [hedge.won for hedge in poem.hedges] == [None]
    picture(handle.events)


def test_an_endpoint_that_is_gone_when_its_turn_comes_is_no_bug() -> None:
    two = trio(["poem-1", "poem-2"], aggregate=None, policies={"hedging": HEDGED})
    poem = Rule(prompt="Write a poem", replies=(Reply(text="Slow.", first_token_s=0.3),))
    with rig(Script(rules=(poem,), otherwise=QUICK), slots=1) as here:
        here.run(trio([f"b{n}" for n in range(24)], aggregate=None))
        handle = here.start(two)
        while not here.provider.streaming:
            handle.wait(timeout_s=0.01)
        here.engine.endpoints.remove(HERE)
        snapshot = handle.wait(timeout_s=5)
    failures = [branch.failure.kind for branch in snapshot.branches if branch.failure]
    assert failures == [FailureKind.UNKNOWN_MODEL]


class SlowLedger:
    """A day's ledger that can be made to wait while something is set aside."""

    def __init__(self) -> None:
        self.open = Event()
        self.open.set()
        self.waiting = Event()

    def reserve(self, claim: Claim, sized: Sized) -> None:
        sized(DayTaken())
        if not self.open.is_set():
            self.waiting.set()
            self.open.wait(10)

    def book(self, bookings: Sequence[Booking]) -> None: ...

    def taken(self, day: str, person: str, batch: str = "") -> DayTaken:
        return DayTaken()

    def batch_cap(self, batch: str) -> Budget:
        return Budget()


def under_a_days_cap(ledger: SlowLedger, provider: Scripted) -> Engine:
    book = EndpointBook(lambda _endpoint, _key: provider)
    book.put(Endpoint(id=HERE, name="Here", base_url="", slots=8))
    caps = Caps(fixed=DayCaps(everyone=Budget(tokens=10**9)))
    return Engine(book, budgets=Budgets(worst_usd_by(book.known), ledger=ledger, caps=caps))


def test_stop_while_a_second_request_is_paid_for_is_a_stop() -> None:
    ledger = SlowLedger()
    poem = Rule(prompt="Write a poem", replies=(HANGS,))
    provider = Scripted(Script(rules=(poem,), otherwise=QUICK))
    with under_a_days_cap(ledger, provider) as engine:
        engine.start(trio([f"b{n}" for n in range(24)], aggregate=None), "rain", MODEL).wait(20)
        handle = engine.start(hedged(least_s=0.3), "rain", MODEL)
        while not provider.streaming:
            handle.wait(timeout_s=0.01)
        ledger.open.clear()
        assert ledger.waiting.wait(10)
        handle.stop()
        while provider.streaming:
            handle.wait(timeout_s=0.01)
        ledger.open.set()
        snapshot = handle.wait(timeout_s=5)
        (health,) = engine.endpoints.health()
    branch = snapshot.branch(POEM)
    assert (branch.state, branch.failure) == (BranchState.STOPPED, None)
    assert not branch.hedges, "nothing was sent a second time"
    assert health.in_flight == 0


def test_the_first_word_may_come_while_a_second_request_is_paid_for() -> None:
    ledger = SlowLedger()
    poem = Rule(prompt="Write a poem", replies=(Reply(text="First.", first_token_s=0.6),))
    provider = Scripted(Script(rules=(poem,), otherwise=QUICK))
    with under_a_days_cap(ledger, provider) as engine:
        engine.start(trio([f"b{n}" for n in range(24)], aggregate=None), "rain", MODEL).wait(20)
        handle = engine.start(hedged(least_s=0.3), "rain", MODEL)
        while not provider.streaming:
            handle.wait(timeout_s=0.01)
        ledger.open.clear()
        assert ledger.waiting.wait(10)
        while provider.streaming:
            handle.wait(timeout_s=0.01)
        ledger.open.set()
        branch = handle.wait(timeout_s=5).branch(POEM)
    assert (branch.state, branch.text) == (BranchState.DONE, "First.")
    assert not branch.hedges
    assert branch.usage is not None and not branch.usage.estimated
