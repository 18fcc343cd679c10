"""Several combined answers of one run: of what is ready, with branches left out, and resumed."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.engine.execution import MOST_AGGREGATES
from fanout.engine.handle import RunHandle
from fanout.errors import DefinitionError
from fanout.events import Event, RunFinished, RunResumed, RunStarted
from fanout.fold import apply, begin
from fanout.insight.speed import total_cost_usd, usage
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.record import run_record
from fanout.snapshot import Snapshot
from fanout.types import AGGREGATE, BranchId, BranchState, FailureKind, RunStatus, Usage
from fanout.workflows.combining.defaults import PROMPTS, default_spec
from fanout.workflows.definition import Workflow
from fanout.workflows.specs import AggregateSpec
from tests.folding import folded
from tests.rig import MODEL, QUICK, Rig, rig, script, trio
from tests.workflows.answering import reading
from tests.workflows.panels import afterwards, begun, record_of

JOKE, STORY, POEM = BranchId("joke"), BranchId("story"), BranchId("poem")
JOINED = default_spec("concatenation")
WRITTEN = AggregateSpec(kind="synthesis", title="Again", prompt="Again:\n{results}")
SILENT = Reply(fault=Fault.STALL_FIRST)


def ids(snapshot: Snapshot) -> list[str]:
    return [made.id for made in snapshot.aggregates]


def headings(snapshot: Snapshot) -> list[str]:
    return [made.heading for made in snapshot.aggregates]


def finishes(handle: RunHandle) -> list[RunStatus]:
    return [event.status for event in handle.events if isinstance(event, RunFinished)]


def until(handle: RunHandle, branch: BranchId, state: BranchState) -> None:
    for _ in handle.follow():
        known = [call for call in handle.snapshot.calls if call.id == branch]
        if known and known[0].state is state:
            return
    raise AssertionError(f"{branch} was never {state}")


def until_ready(handle: RunHandle, *branches: BranchId) -> None:
    for branch in branches:
        until(handle, branch, BranchState.DONE)


def answering(**prompts: Reply | tuple[Reply, ...]) -> Script:
    """As `script`, and "again" answers the calls of `WRITTEN`."""
    again = prompts.pop("again", QUICK)
    told = script(QUICK, **prompts)
    rule = Rule(prompt="Again:", replies=again if isinstance(again, tuple) else (again,))
    return Script(rules=(rule, *told.rules), otherwise=told.otherwise)


def test_a_finished_run_takes_another_answer_beside_the_first_and_asks_no_branch() -> None:
    with rig(answering()) as here:
        handle = here.start(trio())
        first = handle.wait(timeout_s=20)
        snapshot = afterwards(here, handle, lambda: handle.combine(WRITTEN))
        assert len(here.provider.requests) == 3 + 1 + 1
    assert ids(snapshot) == ["aggregate", "aggregate-2"]
    assert headings(snapshot) == ["Synthesis of 3 of 3", "Again of 3 of 3"]
    assert snapshot.branches == first.branches
    assert snapshot.aggregate == first.aggregate
    assert finishes(handle) == [RunStatus.SUCCEEDED] * 2
    resumed = [event for event in handle.events if isinstance(event, RunResumed)]
    assert [(event.branches, event.combining) for event in resumed] == [((), True)]
    assert [one["id"] for one in record_of(handle)["aggregates"]] == ids(snapshot)


def test_branches_can_be_left_out_and_the_heading_says_so() -> None:
    with rig(answering(poem=Reply(status=401))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        snapshot = afterwards(here, handle, lambda: handle.combine(JOINED, [JOKE]))
    made = snapshot.aggregates[1]
    assert made.used == (STORY,)
    assert made.heading == "All answers of 1 of 3: Joke left out, Poem failed"
    assert "Joke" not in made.text


@pytest.mark.parametrize("left_out", [(JOKE, STORY, POEM), (JOKE, STORY, POEM, BranchId("none"))])
def test_with_every_branch_left_out_nothing_happens(left_out: tuple[BranchId, ...]) -> None:
    with rig(answering()) as here:
        handle = here.start(trio())
        before = handle.wait(timeout_s=20)
        assert afterwards(here, handle, lambda: handle.combine(JOINED, left_out)) == before


def test_what_is_ready_is_combined_while_a_slow_branch_is_still_at_work() -> None:
    slow = Reply(text="At last.", first_token_s=1.0)
    with rig(answering(poem=slow)) as here:
        handle = here.start(trio())
        until_ready(handle, JOKE, STORY)
        handle.combine(WRITTEN)
        handle.combine(JOINED)
        snapshot = handle.wait(timeout_s=20)
    assert set(ids(snapshot)) == {"aggregate", "aggregate-2", "aggregate-3"}
    by_id = {made.id: made for made in snapshot.aggregates}
    waiting = "Poem still waiting"
    assert by_id[BranchId("aggregate-2")].heading == f"Again of 2 of 3: {waiting}"
    assert by_id[BranchId("aggregate-3")].heading == f"All answers of 2 of 3: {waiting}"
    assert by_id[AGGREGATE].heading == "Synthesis of 3 of 3"
    assert all(made.branch.state is BranchState.DONE for made in snapshot.aggregates)
    assert finishes(handle) == [RunStatus.SUCCEEDED], "the run ends once"


def test_a_run_waits_for_the_answer_that_was_asked_for_beside_it() -> None:
    late = Reply(text="Late.", first_token_s=1.5)
    with rig(answering(again=late, poem=Reply(text="Rose.", first_token_s=1.0))) as here:
        handle = here.start(trio())
        until_ready(handle, JOKE)
        handle.combine(WRITTEN)
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.branch(BranchId("aggregate-2")).text == "Late."
    assert finishes(handle) == [RunStatus.SUCCEEDED]
    assert isinstance(handle.events[-1], RunFinished)


def test_with_nothing_ready_nothing_is_combined() -> None:
    with rig(answering(joke=SILENT, story=SILENT, poem=SILENT)) as here:
        handle = here.start(trio())
        until(handle, POEM, BranchState.WAITING)
        handle.combine(JOINED)
        handle.stop()
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.aggregates == ()
    assert snapshot.status is RunStatus.STOPPED


def test_eight_answers_are_the_most_of_a_finished_run() -> None:
    with rig(answering()) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        for _ in range(MOST_AGGREGATES + 2):
            snapshot = afterwards(here, handle, lambda: handle.combine(JOINED))
    assert ids(snapshot) == ["aggregate", *(f"aggregate-{n}" for n in range(2, 9))]


def test_eight_answers_are_the_most_also_while_the_run_goes_on() -> None:
    with rig(answering(poem=Reply(text="At last.", first_token_s=1.0))) as here:
        handle = here.start(trio())
        until_ready(handle, JOKE, STORY)
        for _ in range(MOST_AGGREGATES + 2):
            handle.combine(JOINED)
        snapshot = handle.wait(timeout_s=20)
    assert sorted(ids(snapshot)) == ["aggregate", *(f"aggregate-{n}" for n in range(2, 9))]
    assert finishes(handle) == [RunStatus.SUCCEEDED]


def test_stop_in_the_midst_of_another_answer_takes_nothing_from_the_run() -> None:
    with rig(answering(again=SILENT)) as here:
        handle = here.start(trio())
        first = handle.wait(timeout_s=20)
        begun(here, lambda: handle.combine(WRITTEN))
        until(handle, BranchId("aggregate-2"), BranchState.WAITING)
        handle.stop()
        snapshot = handle.wait(timeout_s=20)
        assert here.provider.streaming == 0
    assert snapshot.branch(BranchId("aggregate-2")).state is BranchState.STOPPED
    assert snapshot.aggregate == first.aggregate
    assert snapshot.status is RunStatus.SUCCEEDED


def test_one_answer_can_be_stopped_while_another_is_written() -> None:
    late = Reply(text="Late.", first_token_s=0.2)
    with rig(answering(again=(SILENT, late))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        begun(here, lambda: handle.combine(WRITTEN))
        until(handle, BranchId("aggregate-2"), BranchState.WAITING)
        handle.combine(WRITTEN)
        until(handle, BranchId("aggregate-3"), BranchState.WAITING)
        handle.stop(BranchId("aggregate-2"))
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.branch(BranchId("aggregate-2")).state is BranchState.STOPPED
    assert snapshot.branch(BranchId("aggregate-3")).text == "Late."


def test_another_answer_that_fails_leaves_the_run_succeeded() -> None:
    with rig(answering(again=Reply(status=401))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        snapshot = afterwards(here, handle, lambda: handle.combine(WRITTEN))
    failure = snapshot.branch(BranchId("aggregate-2")).failure
    assert failure is not None and failure.kind is FailureKind.AUTH
    assert snapshot.status is RunStatus.SUCCEEDED


def test_retry_of_a_branch_renews_the_runs_own_answer_and_keeps_the_others() -> None:
    with rig(answering(poem=(Reply(status=401), QUICK))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        afterwards(here, handle, lambda: handle.combine(WRITTEN))
        kept = handle.snapshot.aggregates[1]
        snapshot = afterwards(here, handle, lambda: handle.retry(POEM))
    assert snapshot.status is RunStatus.SUCCEEDED
    assert kept in snapshot.aggregates
    assert kept.heading == "Again of 2 of 3: Poem failed"
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Synthesis of 3 of 3"
    assert len(snapshot.aggregate.branch.earlier) == 1, "the first synthesis was paid for"


def test_an_answer_made_by_hand_outlives_a_retry_where_the_workflow_combines_nothing() -> None:
    with rig(answering(poem=(Reply(status=401), QUICK))) as here:
        handle = here.start(trio(aggregate=None))
        handle.wait(timeout_s=20)
        made = afterwards(here, handle, lambda: handle.combine(WRITTEN)).aggregate
        snapshot = afterwards(here, handle, lambda: handle.retry(POEM))
    assert made is not None and snapshot.aggregate == made
    assert snapshot.status is RunStatus.SUCCEEDED


def test_retry_of_a_whole_run_that_combines_nothing_does_nothing() -> None:
    with rig(answering()) as here:
        handle = here.start(trio(aggregate=None))
        before = handle.wait(timeout_s=20)
        assert afterwards(here, handle, handle.retry) == before


def test_a_prompt_with_an_unknown_variable_is_refused_at_once() -> None:
    with rig(answering()) as here:
        handle = here.start(trio())
        before = handle.wait(timeout_s=20)
        for prompt, result in (("{nonsense}", "{text}"), ("{", "{text}"), ("{topic}", "{topic}")):
            with pytest.raises(DefinitionError):
                handle.combine(AggregateSpec(prompt=prompt, result=result))
        assert handle.snapshot == before


def test_a_bug_while_combining_ends_the_run_and_keeps_what_there_is() -> None:
    nonsense = AggregateSpec.model_construct(kind="nonsense", title="X")
    with rig(answering()) as here:
        handle = here.start(trio())
        first = handle.wait(timeout_s=20)
        snapshot = afterwards(here, handle, lambda: handle.combine(nonsense))
        assert snapshot.failure is not None and snapshot.failure.kind is FailureKind.BUG
        assert "AssertionError" in snapshot.failure.message
        assert snapshot.branches == first.branches and snapshot.aggregate == first.aggregate
        again = afterwards(here, handle, lambda: handle.combine(WRITTEN))
    assert (again.status, again.failure) == (RunStatus.SUCCEEDED, None)


def test_what_a_guided_answer_cost_before_a_retry_is_still_counted() -> None:
    guided = {"kind": "guided", "title": "Guided", "prompt": PROMPTS["guided"]}
    with rig(answering(poem=(Reply(status=401), QUICK)), on_this_machine=True) as here:
        handle = here.start(trio(aggregate=guided))
        handle.wait(timeout_s=20)
        snapshot = afterwards(here, handle, lambda: handle.retry(POEM))
        asked = len(here.provider.requests)
    assert asked == sum(go.attempts for go in snapshot.goes), "no call is forgotten"
    spent = sum((usage(call) for call in snapshot.calls), Usage())
    assert spent.output == sum(go.usage.output for go in snapshot.goes if go.usage)
    assert total_cost_usd(snapshot) == 0


def test_an_answer_keeps_its_place_while_others_are_begun() -> None:
    proposing = Rule(prompt="List the points", replies=(Reply(text="-", first_token_s=0.3),))
    told = answering()
    with rig(Script(rules=(proposing, *told.rules), otherwise=told.otherwise)) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        begun(here, lambda: handle.combine(default_spec("guided")))
        until(handle, BranchId("aggregate-2-points"), BranchState.WAITING)
        handle.combine(JOINED)
        snapshot = handle.wait(timeout_s=20)
    assert ids(snapshot) == ["aggregate", "aggregate-2", "aggregate-3"]


def test_stop_does_not_wait_for_embeddings_that_never_come() -> None:
    with reading(lambda _request: "Fine.", embedding_model="e") as (engine, provider):
        handle = engine.start(trio(), "rain", MODEL)
        assert provider.embedding.wait(10)
        for _ in handle.follow():
            made = handle.snapshot.aggregate
            if made is not None and made.branch.state.finished:
                handle.stop()
                break
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.status is RunStatus.SUCCEEDED, "nothing of it was cut short"
    assert snapshot.meaning is None


def test_the_runs_deadline_does_not_wait_for_them_either() -> None:
    with reading(lambda _request: "Fine.", embedding_model="e") as (engine, _provider):
        snapshot = engine.start(trio(policies={"run_s": 0.5}), "rain", MODEL).wait(timeout_s=20)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert snapshot.wall_s(snapshot.at) < 3


def test_judges_that_the_runs_deadline_cuts_off_gave_no_unreadable_rankings() -> None:
    best = {"kind": "best", "title": "Best", "prompt": PROMPTS["best"]}
    told = script(otherwise=SILENT, joke=QUICK, story=QUICK, poem=QUICK)
    with rig(told) as here:
        snapshot = here.run(trio(aggregate=best, policies={"run_s": 0.4}))
    assert snapshot.aggregate is not None
    branch = snapshot.aggregate.branch
    assert branch.state is BranchState.TIMED_OUT
    assert branch.failure is not None and branch.failure.kind is FailureKind.TIMEOUT_TOTAL


def eventful(here: Rig) -> RunHandle:
    """Branches that fail, answers of many kinds, a retry, a stop: much of what a run can meet."""
    handle = here.start(trio())
    until_ready(handle, STORY)
    handle.combine(default_spec("best"))
    handle.wait(timeout_s=20)
    for kind in ("guided", "table", "vote", "concatenation"):
        afterwards(here, handle, lambda kind=kind: handle.combine(default_spec(kind), [JOKE]))  # type: ignore[misc]
    afterwards(here, handle, lambda: handle.retry(POEM))
    begun(here, lambda: handle.combine(WRITTEN))
    until(handle, BranchId("aggregate-7"), BranchState.WAITING)
    handle.stop()
    handle.wait(timeout_s=20)
    return handle


@cache
def log() -> tuple[tuple[Event, ...], Snapshot]:
    slow = Reply(text="One two.", first_token_s=0.5)
    told = answering(joke=slow, poem=(Reply(status=401), QUICK), again=SILENT)
    with rig(told) as here:
        handle = eventful(here)
    return handle.events, handle.snapshot


def test_the_log_of_an_eventful_run_folds_to_its_snapshot() -> None:
    events, snapshot = log()
    assert folded(events) == snapshot
    assert ids(snapshot).count("aggregate") == 1
    assert set(ids(snapshot)) == {"aggregate", *(f"aggregate-{n}" for n in range(2, 8))}
    assert snapshot.status is RunStatus.SUCCEEDED


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_prefix_of_an_eventful_run_can_be_shown_and_recorded(data: st.DataObject) -> None:
    events, _ = log()
    snapshot = folded(events[: data.draw(st.integers(1, len(events)))])
    record = run_record(snapshot, snapshot.at)
    assert len(ids(snapshot)) == len(set(ids(snapshot)))
    aggregates = record["aggregates"]
    assert isinstance(aggregates, list) and len(aggregates) == len(snapshot.aggregates)


def test_no_money_is_lost_between_two_pictures() -> None:
    events, _ = log()
    first, *rest = events
    assert isinstance(first, RunStarted)
    snapshot, spent = begin(first), 0
    for event in rest:
        snapshot = apply(snapshot, event)
        now = sum(go.usage.output for go in snapshot.goes if go.usage)
        assert now >= spent, f"{type(event).__name__} lost {spent - now} tokens"
        spent = now


def test_every_workflow_can_be_combined_by_votes_among_its_texts() -> None:
    answers: dict[str, Reply | tuple[Reply, ...]] = {
        name: Reply(text="Final answer: 8") for name in ("joke", "story")
    }
    workflow: Workflow = trio(aggregate=None)
    with rig(answering(**answers, poem=Reply(text="Final answer: 9"))) as here:
        handle = here.start(workflow)
        handle.wait(timeout_s=20)
        afterwards(here, handle, lambda: handle.combine(default_spec("vote")))
    assert record_of(handle)["aggregate"]["votes"] == {"8": 2, "9": 1}
