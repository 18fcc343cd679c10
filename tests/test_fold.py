"""The fold: any prefix of a run's events is a valid picture of it."""

from __future__ import annotations

from collections.abc import Iterator

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
from fanout.fold import apply, begin, write
from fanout.snapshot import Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
)

MODEL = ModelRef(endpoint=EndpointId("here"), model="m")
BUSY = Failure(kind=FailureKind.RATE_LIMIT, message="Asked to wait.", retryable=True)


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
    first, *rest = events
    assert isinstance(first, RunStarted)
    snapshot = begin(first)
    for event in rest:
        snapshot = apply(snapshot, event)
    return snapshot


def test_a_branch_keeps_its_four_times_apart() -> None:
    a = BranchId("a")
    snapshot = folded(
        started("a"),
        BranchQueued(at=1.0, id=a),
        AttemptStarted(at=3.0, id=a, attempt=1),
        AttemptFailed(at=3.5, id=a, failure=BUSY, retry_at=5.5, attempts_allowed=4),
        BranchQueued(at=5.5, id=a),
        AttemptStarted(at=6.0, id=a, attempt=2),
        BranchWrote(at=8.0, id=a, text="Hello", pieces=1),
        BranchWrote(at=9.0, id=a, text=" you", pieces=1),
        BranchFinished(at=12.0, id=a, state=BranchState.DONE, usage=Usage(input=3, output=2)),
    )
    branch = snapshot.branch(a)
    assert branch.spent_s(BranchState.QUEUED, 99) == pytest.approx(2.5)
    assert branch.spent_s(BranchState.WAITING, 99) == pytest.approx(2.5)
    assert branch.spent_s(BranchState.RETRYING, 99) == pytest.approx(2.0)
    assert branch.spent_s(BranchState.WRITING, 99) == pytest.approx(4.0)
    assert branch.own_s(99) == pytest.approx(6.5)
    assert (branch.queued_s, branch.started_s, branch.first_token_s) == (1.0, 3.0, 8.0)
    assert (branch.text, branch.attempts, branch.finished_s) == ("Hello you", 2, 12.0)


def test_a_failed_branch_keeps_what_it_wrote() -> None:
    a = BranchId("a")
    lost = Failure(kind=FailureKind.TRUNCATED, message="Cut off.")
    snapshot = folded(
        started("a"),
        BranchQueued(at=0, id=a),
        AttemptStarted(at=0, id=a, attempt=1),
        BranchWrote(at=1, id=a, text="half a", pieces=2),
        BranchFinished(at=2, id=a, state=BranchState.FAILED, failure=lost),
    )
    assert snapshot.branch(a).text == "half a"
    assert snapshot.branch(a).failure == lost


def test_a_resumed_run_does_not_count_the_time_it_lay_idle() -> None:
    a = BranchId("a")
    snapshot = folded(
        started("a"),
        BranchQueued(at=0, id=a),
        BranchFinished(at=1, id=a, state=BranchState.STOPPED),
        RunFinished(at=2, status=RunStatus.STOPPED),
        RunResumed(at=100, branches=(a,)),
        BranchQueued(at=100, id=a),
        AttemptStarted(at=100, id=a, attempt=1),
        BranchWrote(at=101, id=a, text="new", pieces=1),
        BranchFinished(at=103, id=a, state=BranchState.DONE),
        RunFinished(at=104, status=RunStatus.SUCCEEDED),
    )
    assert snapshot.wall_s(999) == pytest.approx(6.0)
    assert snapshot.branch(a).text == "new"


@st.composite
def lives(draw: st.DrawFn, branch: BranchId) -> list[Event]:
    """One call's events in a legal order, with made-up times filled in later."""
    events: list[Event] = []
    attempts = draw(st.integers(1, 3))
    for number in range(1, attempts + 1):
        events += [BranchQueued(at=0, id=branch), AttemptStarted(at=0, id=branch, attempt=number)]
        if number < attempts:
            failed = AttemptFailed(at=0, id=branch, failure=BUSY, retry_at=0, attempts_allowed=4)
            events.append(failed)
    texts = draw(st.lists(st.text(min_size=1, max_size=5), max_size=4))
    events += [BranchWrote(at=0, id=branch, text=text, pieces=1) for text in texts]
    ends = [BranchState.DONE, BranchState.FAILED, BranchState.STOPPED, BranchState.TIMED_OUT]
    events.append(BranchFinished(at=0, id=branch, state=draw(st.sampled_from(ends))))
    return events


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A whole run: branches interleaved in any order, then the combining call."""
    names = [BranchId(name) for name in "abc"[: draw(st.integers(1, 3))]]
    queues = [draw(lives(name)) for name in names]
    events: list[Event] = [started(*names)]
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(queue.pop(0))
    events.append(
        AggregatePlanned(
            at=0, kind="synthesis", heading="H", used=tuple(names), plan=plan(AGGREGATE)
        )
    )
    events += draw(lives(AGGREGATE))
    events.append(RunFinished(at=0, status=RunStatus.SUCCEEDED))
    return list(_clocked(events, draw(st.floats(0.001, 2.0))))


def _clocked(events: list[Event], step: float) -> Iterator[Event]:
    from dataclasses import replace

    for i, event in enumerate(events):
        yield replace(event, at=i * step) if i else event


@given(logs())
def test_every_prefix_of_a_log_is_a_valid_picture(events: list[Event]) -> None:
    for length in range(1, len(events) + 1):
        snapshot = folded(*events[:length])
        assert snapshot.seq == length
        assert snapshot.at == events[length - 1].at
        for call in snapshot.calls:
            times = [phase.since_s for phase in call.phases]
            assert times == sorted(times)
            assert all(not phase.state.finished for phase in call.phases[:-1])
            spent = sum(
                call.spent_s(state, snapshot.at) for state in BranchState if not state.finished
            )
            begun = call.queued_s if call.queued_s is not None else snapshot.at
            end = call.finished_s if call.finished_s is not None else snapshot.at
            assert spent == pytest.approx(end - begun)


@given(logs())
def test_text_is_the_sum_of_what_was_written_since_the_last_failed_attempt(
    events: list[Event],
) -> None:
    snapshot = folded(*events)
    for call in snapshot.calls:
        wrote = [e.text for e in events if isinstance(e, BranchWrote) and e.id == call.id]
        assert call.text == "".join(wrote)


WRITTEN = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", AGGREGATE]), st.text(max_size=4)), max_size=12
)


@given(st.lists(WRITTEN, min_size=1, max_size=3))
def test_words_taken_together_lead_to_the_picture_that_they_lead_to_one_by_one(
    stretches: list[list[tuple[BranchId, str]]],
) -> None:
    one_by_one = folded(
        started("a", "b", "c"),
        BranchQueued(at=0.1, id=BranchId("a")),
        AttemptStarted(at=0.2, id=BranchId("a"), attempt=1),
        AggregatePlanned(
            at=0.3,
            kind="synthesis",
            heading="H",
            used=(),
            plan=plan(AGGREGATE),
            before=(plan("j"),),
        ),
    )
    together = one_by_one
    at = 0.3
    for stretch in stretches:
        events = []
        for name, text in stretch:
            at += 0.1
            events.append(BranchWrote(at=at, id=name, text=text, pieces=len(text)))
        for event in events:
            one_by_one = apply(one_by_one, event)
        together = write(together, events)
        assert together == one_by_one
    assert together.seq == one_by_one.seq


def test_the_fold_leaves_the_old_picture_as_it_was() -> None:
    before = folded(started("a", "b"))
    apply(before, BranchQueued(at=1.0, id=BranchId("a")))
    assert before.branch(BranchId("a")).state is BranchState.READY


def redone(*last: Event) -> Snapshot:
    """A branch that wrote, failed and is asked again, up to `last`."""
    joke = BranchId("joke")
    return folded(
        started("joke"),
        BranchQueued(at=0.0, id=joke),
        AttemptStarted(at=0.1, id=joke, attempt=1),
        BranchWrote(at=0.2, id=joke, text="Old words.", pieces=2),
        BranchFinished(at=0.3, id=joke, state=BranchState.FAILED, failure=BUSY),
        RunFinished(at=0.4, status=RunStatus.FAILED),
        RunResumed(at=9.0, branches=(joke,)),
        BranchQueued(at=9.0, id=joke),
        AttemptStarted(at=9.1, id=joke, attempt=1),
        BranchWrote(at=9.2, id=joke, text="New words.", pieces=2),
        *last,
    )


def test_the_old_text_stays_until_the_new_one_has_succeeded() -> None:
    joke = BranchId("joke")
    assert redone().branch(joke).shown_text == "Old words."
    failed = BranchFinished(at=9.3, id=joke, state=BranchState.FAILED, failure=BUSY)
    assert redone(failed).branch(joke).shown_text == "Old words."
    done = BranchFinished(at=9.3, id=joke, state=BranchState.DONE)
    assert redone(done).branch(joke).shown_text == "New words."
    assert [go.text for go in redone(done).branch(joke).goes] == ["Old words.", "New words."]


def combined(*last: Event) -> Snapshot:
    """A run whose answer was written, and that goes on, up to `last`."""
    joke = BranchId("joke")
    heading = AggregatePlanned(
        at=1.0, kind="synthesis", heading="Old heading", used=(joke,), plan=plan(AGGREGATE)
    )
    return folded(
        started("joke"),
        BranchQueued(at=0.0, id=joke),
        BranchFinished(at=0.3, id=joke, state=BranchState.DONE),
        heading,
        BranchQueued(at=1.0, id=AGGREGATE),
        BranchWrote(at=1.1, id=AGGREGATE, text="Old answer.", pieces=1),
        BranchFinished(at=1.2, id=AGGREGATE, state=BranchState.DONE, usage=Usage(output=3)),
        RunFinished(at=1.3, status=RunStatus.PARTIAL),
        RunResumed(at=9.0, branches=(joke,)),
        *last,
    )


def test_the_old_answer_stays_until_the_new_one_has_succeeded() -> None:
    again = AggregatePlanned(
        at=9.5,
        kind="synthesis",
        heading="New heading",
        used=(BranchId("joke"),),
        plan=plan(AGGREGATE),
    )
    wrote = BranchWrote(at=9.6, id=AGGREGATE, text="New answer.", pieces=1)
    queued = BranchQueued(at=9.5, id=AGGREGATE)
    failed = BranchFinished(at=9.7, id=AGGREGATE, state=BranchState.FAILED, failure=BUSY)
    done = BranchFinished(at=9.7, id=AGGREGATE, state=BranchState.DONE)
    for last in ((), (again,), (again, queued, wrote), (again, queued, wrote, failed)):
        answer = combined(*last).aggregate
        assert answer is not None
        assert (answer.shown.heading, answer.shown.text) == ("Old heading", "Old answer.")
    snapshot = combined(again, queued, wrote, done)
    assert snapshot.aggregate is not None
    assert (snapshot.aggregate.shown.heading, snapshot.aggregate.shown.text) == (
        "New heading",
        "New answer.",
    )
    spent = sum(go.usage.output for go in snapshot.goes if go.usage is not None)
    assert spent == 3, "what the old answer cost is still counted"
