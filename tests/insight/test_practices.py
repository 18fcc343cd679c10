"""Practices: each measure by hand, and none that falls over a run in any state."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.insight.balance import balance
from fanout.insight.practice import Practice, named
from fanout.insight.practices import practices, practices_record
from fanout.snapshot import Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    Price,
    RunId,
    RunStatus,
    Usage,
)
from tests.folding import folded as in_order

MODEL = ModelRef(endpoint=EndpointId("here"), model="m")
BUSY = Failure(kind=FailureKind.RATE_LIMIT, message="Asked to wait.", retryable=True)
LOST = Failure(kind=FailureKind.CONNECTION, message="The line went dead; check the network.")
PRICE = Price(input=Decimal(1), output=Decimal(1), source="test")
STORY = "Anna cycled home through the rain and found the bakery still open."
PIECES = st.integers(0, 5)
POEM = "Silent rivers carry stars below the sleeping bridge of iron."
JOKE = "Why did the laptop sneeze? It had caught a nasty virus at work."


def plan(name: str) -> BranchPlan:
    return BranchPlan(id=BranchId(name), title=name.title(), model=MODEL, messages=())


def started(*names: str) -> RunStarted:
    return RunStarted(
        at=0.0,
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="t",
        branches=tuple(plan(name) for name in names),
        started_at=1.0,
        aggregate_kind="synthesis",
    )


def folded(*events: Event) -> Snapshot:
    return in_order(sorted(events, key=lambda event: event.at))


def life(
    name: str, sent: float, end: float, tokens: int, text: str, usd: str | None = None
) -> list[Event]:
    """A branch that is queued at 0, sent, answers one second later and ends well."""
    cost = None if usd is None else Cost(usd=Decimal(usd), price=PRICE)
    usage = Usage(input=100, output=tokens)
    done = BranchFinished(at=end, id=BranchId(name), state=BranchState.DONE, usage=usage, cost=cost)
    return [
        BranchQueued(at=0.0, id=BranchId(name)),
        AttemptStarted(at=sent, id=BranchId(name), attempt=1),
        BranchWrote(at=sent + 1, id=BranchId(name), text=text, pieces=tokens),
        done,
    ]


def combined(at: float, end: float, used: str = "abc", usd: str | None = None) -> list[Event]:
    planned = AggregatePlanned(
        at=at,
        kind="synthesis",
        heading="Synthesis",
        used=tuple(BranchId(name) for name in used),
        plan=plan(AGGREGATE),
    )
    events = [
        replace(event, at=max(at, event.at)) for event in life(AGGREGATE, at, end, 50, "S", usd)
    ]
    return [planned, *events, RunFinished(at=end + 0.5, status=RunStatus.SUCCEEDED)]


def run(usd: str | None = "0.001") -> Snapshot:
    """a and b take 3 and 4 s, c 10 s after 1 s in the queue; 2 s later all is combined in 4 s."""
    return folded(
        started("a", "b", "c"),
        *life("a", 0.0, 3.0, 40, STORY, usd),
        *life("b", 0.0, 4.0, 60, POEM, usd),
        *life("c", 1.0, 11.0, 300, JOKE, usd),
        *combined(13.0, 17.0, usd=usd and "0.002"),
    )


def measured(snapshot: Snapshot, now_s: float = 99.0) -> dict[str, Practice]:
    return {practice.id: practice for practice in practices(snapshot, now_s)}


def test_the_long_pole_is_named_with_what_cutting_it_would_save() -> None:
    found = balance(run(), 99)
    assert found is not None
    assert (found.longest, found.own_s, found.median_s) == ("c", 10.0, 4.0)
    assert (found.tokens, found.median_tokens, found.ratio) == (300, 60, 2.5)
    assert found.saves_s == pytest.approx(6.0)
    assert found.advice.startswith("Ask C for less (it wrote 300 tokens against 60)")


def test_a_saving_ends_where_the_next_branch_is_the_last() -> None:
    late = folded(
        started("a", "b", "c"),
        *life("a", 0.0, 2.0, 40, STORY),
        *life("b", 7.0, 9.0, 40, POEM),
        *life("c", 0.0, 10.0, 40, JOKE),
    )
    found = balance(late, 10)
    assert found is not None
    assert found.saves_s == pytest.approx(1.0)
    assert found.advice.startswith("C wrote no more than others: a faster model")


def test_a_slow_branch_that_others_outlast_saves_nothing() -> None:
    overtaken = folded(
        started("a", "b", "c"),
        *life("a", 0.0, 2.0, 40, STORY),
        *life("b", 10.0, 12.0, 40, POEM),
        *life("c", 0.0, 11.0, 40, JOKE),
    )
    found = balance(overtaken, 12)
    assert found is not None
    assert (found.saves_s, found.advice) == (0.0, "Nothing to do.")


def test_overhead_is_what_neither_longest_branch_nor_combining_explains() -> None:
    overhead = measured(run())["overhead"]
    assert overhead.number == pytest.approx(17.5 - 11 - 4)
    assert overhead.value == "2.5 s (14%) and 1.0 s queued"
    assert "and inside them 1.0 s waiting for a slot went by" in overhead.reading
    assert overhead.level == "watch"


def test_speed_up_compares_own_times_with_the_wall() -> None:
    speed_up = measured(run())["speed_up"]
    assert speed_up.number == pytest.approx((3 + 4 + 10 + 4) / 17.5)
    assert (speed_up.value, speed_up.level) == ("1.2×", "watch")


def test_a_run_that_mostly_waited_is_not_told_to_take_more_calls_at_once() -> None:
    waited = replace(run(), at=300.0)
    assert measured(waited)["speed_up"].advice.startswith("Most of the time nobody was at work")


def test_cost_is_counted_in_single_calls_by_money_and_else_by_tokens() -> None:
    by_money = measured(run())["cost"]
    assert (by_money.value, by_money.number) == ("5.0× one call", 5.0)
    assert "money" in by_money.reading
    by_tokens = measured(run(usd=None))["cost"]
    assert by_tokens.number == pytest.approx((140 + 160 + 400 + 150) / 160)
    assert "tokens" in by_tokens.reading
    assert "tokens" in measured(run(usd="0"))["cost"].reading


def test_backing_off_is_lost_time_and_a_retry_is_told() -> None:
    a = BranchId("a")
    snapshot = folded(
        started("a"),
        BranchQueued(at=0.0, id=a),
        AttemptStarted(at=0.0, id=a, attempt=1),
        AttemptFailed(at=1.0, id=a, failure=BUSY, retry_at=4.0, attempts_allowed=4),
        BranchQueued(at=4.0, id=a),
        AttemptStarted(at=4.0, id=a, attempt=2),
        BranchFinished(at=10.0, id=a, state=BranchState.DONE),
        RunFinished(at=10.0, status=RunStatus.SUCCEEDED),
    )
    found = measured(snapshot)
    assert (found["rate_limit"].number, found["rate_limit"].value) == (3.0, "3.0 s")
    assert found["rate_limit"].level == "bad"
    assert found["failures"].value == "1 retried"
    assert found["failures"].reading == "A: tried more than once (2 requests)."


def test_what_failed_and_was_left_out_is_named_with_its_way_out() -> None:
    c = BranchId("c")
    snapshot = folded(
        started("a", "b", "c"),
        *life("a", 0.0, 3.0, 40, STORY),
        *life("b", 0.0, 4.0, 60, POEM),
        AttemptStarted(at=0.0, id=c, attempt=1),
        BranchFinished(at=2.0, id=c, state=BranchState.FAILED, failure=LOST),
        *combined(5.0, 8.0, used="ab"),
    )
    failures = measured(snapshot)["failures"]
    assert (failures.value, failures.level) == ("1 failed, 1 left out", "bad")
    assert failures.advice == f"Retry C. {LOST.message}"


def test_a_branch_that_was_asked_again_is_told() -> None:
    again = folded(
        started("a"),
        *life("a", 0.0, 2.0, 40, STORY),
        RunResumed(at=3.0, branches=(BranchId("a"),)),
        BranchQueued(at=3.0, id=BranchId("a")),
    )
    assert measured(again)["failures"].value == "1 asked again"


def test_different_texts_are_independent_and_copies_are_not() -> None:
    apart = measured(run())["independence"]
    assert apart.level == "good"
    assert apart.number == pytest.approx(3, abs=0.1)
    same = folded(started("a", "b"), *life("a", 0, 3, 40, STORY), *life("b", 0, 3, 40, STORY))
    alike = measured(same)["independence"]
    assert (alike.value, alike.level) == ("1.0 of 2", "bad")
    assert "A and B most" in alike.advice


def test_a_run_that_has_not_begun_is_unknown_and_not_good() -> None:
    levels = {p.id: p.level for p in practices(folded(started("a", "b")), 0.0)}
    assert set(levels.values()) == {"unknown"}


def test_a_list_of_titles_stays_short() -> None:
    assert named([]) == ""
    assert named(["A"]) == "A"
    assert named(["A", "B", "C"]) == "A, B and C"
    assert named(["A", "B", "C", "D"]) == "A, B and 2 more"


@st.composite
def lives(draw: st.DrawFn, name: str) -> list[Event]:
    branch = BranchId(name)
    events: list[Event] = [BranchQueued(at=0, id=branch)]
    for attempt in range(1, draw(st.integers(1, 3)) + 1):
        if attempt > 1:
            events.append(
                AttemptFailed(at=0, id=branch, failure=BUSY, retry_at=0, attempts_allowed=9)
            )
            events.append(BranchQueued(at=0, id=branch))
        events.append(AttemptStarted(at=0, id=branch, attempt=attempt))
    texts = st.one_of(st.text(max_size=40), st.sampled_from([STORY, POEM, JOKE]))
    wrote = st.builds(BranchWrote, at=st.just(0.0), id=st.just(branch), text=texts, pieces=PIECES)
    events += draw(st.lists(wrote, max_size=3))
    state = draw(st.sampled_from([state for state in BranchState if state.finished]))
    used = st.builds(Usage, input=st.integers(0, 9), output=st.integers(0, 9))
    price = st.builds(lambda cents: Cost(usd=Decimal(cents), price=PRICE), st.integers(0, 3))
    events.append(
        BranchFinished(
            at=0,
            id=branch,
            state=state,
            usage=draw(st.none() | used),
            cost=draw(st.none() | price),
            failure=draw(st.sampled_from([None, LOST])),
        )
    )
    return events


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A run of no to three branches, cut off anywhere."""
    names = [BranchId(name) for name in "abc"[: draw(st.integers(0, 3))]]
    queues = [draw(lives(name)) for name in names]
    events: list[Event] = []
    while any(queues):
        events.append(draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
    events.append(
        AggregatePlanned(
            at=0, kind="synthesis", heading="H", used=tuple(names[:2]), plan=plan(AGGREGATE)
        )
    )
    events += draw(lives(AGGREGATE))
    events.append(RunFinished(at=0, status=draw(st.sampled_from(RunStatus))))
    step = draw(st.sampled_from([0.0, 0.001, 1.5]))
    kept = events[: draw(st.integers(0, len(events)))]
    return [started(*names), *(replace(e, at=i * step) for i, e in enumerate(kept, start=1))]


@given(logs(), st.floats(0, 100))
def test_every_run_at_every_moment_has_every_measure(events: list[Event], ahead: float) -> None:
    snapshot = folded(*events)
    found = practices(snapshot, snapshot.at + ahead)
    assert len({practice.id for practice in found}) == len(found) == 7
    for practice in found:
        assert practice.value
        assert practice.reading.endswith(".")
        assert (practice.number is None) <= (practice.level == "unknown")
    json.dumps(practices_record(snapshot), allow_nan=False)
