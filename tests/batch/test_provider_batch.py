"""Rows through the provider's Batch API: every kind of workflow, whatever becomes of the jobs."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from fanout.engine.parking import batch_api_at
from fanout.policies import RetryPolicy
from fanout.pricing import AT_MOST
from fanout.providers.batch_script import JobScript
from fanout.providers.script import Fault, Reply, Script
from fanout.providers.scripted_server import serving
from fanout.snapshot import Snapshot
from fanout.store.database import reading
from fanout.store.provider_values import JobState
from fanout.store.schema_batches import provider_jobs, provider_requests
from fanout.store.store import Store
from fanout.types import BranchState, EndpointId, FailureKind, Price, RunStatus, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from tests.batch.parked import (
    AT_ONCE,
    HERE,
    MODEL,
    QUICK,
    Parked,
    comes_true,
    ended,
    engine_of,
    parked,
)
from tests.rig import script, trio
from tests.workflows.documents import filled

SHIPPED = [pytest.param(each, id=each.name) for each in shipped().workflows]
KEY = "sk-tests-0123456789"
NAMES = ("joke", "story", "poem")
FAILED = {"code": "invalid_request", "message": "The file is odd."}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def texts(snapshot: Snapshot) -> dict[str, str]:
    calls = [*snapshot.branches]
    if snapshot.aggregate is not None:
        calls.append(snapshot.aggregate.branch)
    return {call.id: call.text for call in calls}


def to_the_end(workflow: Workflow) -> Workflow:
    """The same, but no vote is called off: which ones are is a matter of who was faster."""
    vote = getattr(workflow, "vote", None)
    if vote is None:
        return workflow
    return workflow.model_copy(update={"vote": vote.model_copy(update={"early_stop": "never"})})


def rows_of(store: Store, table: object) -> list[dict[str, object]]:
    with reading(store._engine) as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]  # type: ignore[call-overload]


def paid(here: Parked) -> Counter[str]:
    """How often each request was answered at the server."""
    return Counter(here.server.batches.prompts)


def asked_once(here: Parked) -> bool:
    return set(paid(here).values()) == {1}


@pytest.mark.parametrize("workflow", SHIPPED)
def test_every_kind_of_workflow_says_the_same_as_by_single_calls(
    workflow: Workflow, tmp_path: Path
) -> None:
    workflow = to_the_end(workflow)
    topic = "wind" if workflow.kind == "research" else "Bees 17. Spiders have 8 legs."
    with filled(tmp_path) as library, serving(Script()) as server:
        with (
            Store.open(tmp_path / "batch") as store,
            engine_of(server, store, library=library) as here,
        ):
            snapshot = here.run(workflow, topic)
            assert server.requests == ()
        with (
            Store.open(tmp_path / "single") as store,
            engine_of(server, store, library=library) as other,
        ):
            # The same id, since prompts mark what is quoted by it.
            direct = ended(other.row(workflow, topic, via=Via.CALLS))
            single = len(server.requests)
    assert snapshot.status == direct.status
    assert texts(snapshot) == texts(direct)
    assert [b.state for b in snapshot.branches] == [b.state for b in direct.branches]
    assert [b.usage for b in snapshot.branches] == [b.usage for b in direct.branches]
    assert [b.ballot for b in snapshot.branches] == [b.ballot for b in direct.branches]
    assert sum(paid(here).values()) == single, "as many requests as by single calls"


def test_a_row_opens_on_the_board_with_its_texts_and_nothing_of_it_stays_beside_the_record(
    store: Store,
) -> None:
    with parked(script(), store) as here:
        snapshot = here.run(trio())
        assert here.server.requests == () and asked_once(here)
        assert len(here.server.batches.made) == 2, "the branches, then the combining call"
        assert comes_true(lambda: not rows_of(store, provider_requests))
        assert comes_true(lambda: not here.server.batches.files), "nothing stays there either"
        assert {row["state"] for row in rows_of(store, provider_jobs)} == {JobState.OVER}
    stored = store.load("row-1")
    assert stored is not None and texts(stored.snapshot) == texts(snapshot)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert all(b.usage is not None and b.usage.output == 4 for b in snapshot.branches)


def test_rows_that_wait_together_share_a_job(store: Store) -> None:
    with parked(script(), store) as here:
        handles = [here.row(trio(), f"topic {n}", n) for n in range(1, 21)]
        assert {ended(handle).status for handle in handles} == {RunStatus.SUCCEEDED}
        assert asked_once(here) and sum(paid(here).values()) == 80
        assert len(here.server.batches.made) <= 6


def test_a_job_takes_no_more_than_its_limits_allow(store: Store) -> None:
    pace = replace(QUICK, most=7)
    with parked(script(), store, pace=pace) as here:
        handles = [here.row(trio(), f"topic {n}", n) for n in range(1, 11)]
        assert {ended(handle).status for handle in handles} == {RunStatus.SUCCEEDED}
        assert asked_once(here) and sum(paid(here).values()) == 40
        assert max(int(str(row["requests"])) for row in rows_of(store, provider_jobs)) == 7


def test_an_own_price_is_told_as_the_bound_that_it_is(store: Store) -> None:
    own = Price(input=Decimal(10), output=Decimal(20), source="your own price")
    with parked(script(), store, price=own) as here:
        snapshot = here.run(trio())
        assert batch_api_at(here.engine, here.engine.endpoints, HERE)
    for branch in snapshot.branches:
        assert branch.cost is not None and branch.cost.usd > 0
        assert branch.cost.price.source == f"your own price {AT_MOST}"


def test_no_deadline_of_a_call_counts_while_a_job_takes_its_time(store: Store) -> None:
    deadlines = {"first_token_s": 0.05, "idle_s": 0.05, "total_s": 0.1}
    workflow = trio(policies={"run_s": 0.2, "fan_in": {"deadline_s": 0.1}}, deadlines=deadlines)
    with parked(script(), store) as here:
        here.server.batches.usual = JobScript(takes_s=0.4)
        snapshot = here.run(workflow)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert snapshot.aggregate is not None and not snapshot.late


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(JobScript(shuffled=True), id="in another order"),
        pytest.param(JobScript(doubled=True), id="every line twice"),
        pytest.param(JobScript(status="expired", share=0.34), id="expired"),
        pytest.param(JobScript(missing=1), id="a line missing"),
        pytest.param(
            JobScript(status="failed", errors=({**FAILED, "line": 2},)), id="one bad line"
        ),
        pytest.param(
            JobScript(
                status="failed", errors=({"code": "token_limit_exceeded", "message": "Enough."},)
            ),
            id="no room",
        ),
    ],
)
def test_what_a_job_leaves_undone_is_done_by_the_next(job: JobScript, store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.jobs.append(job)
        snapshot = here.run(trio())
        blamed = [e for e in job.errors if "line" in e]
        states = Counter(branch.state for branch in snapshot.branches)
        assert states[BranchState.DONE] == 3 - len(blamed)
        assert states[BranchState.FAILED] == len(blamed)
        assert all(b.text == "One two three four." for b in snapshot.branches if b.text)
        assert max(paid(here).values()) == (2 if job.missing else 1)


def test_a_job_that_fails_as_a_whole_fails_its_requests_and_says_why(store: Store) -> None:
    with parked(script(), store) as here:
        failed = {"code": "model_not_found", "message": "The model does not exist."}
        here.server.batches.usual = JobScript(status="failed", errors=(failed,))
        snapshot = here.run(trio())
    assert snapshot.status is RunStatus.FAILED
    for branch in snapshot.branches:
        assert branch.failure is not None
        assert branch.failure.kind is FailureKind.UNKNOWN_MODEL
        assert branch.cost is None or not branch.cost.usd


def test_a_job_that_somebody_cancelled_there_keeps_what_it_did(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.jobs.append(JobScript(status="cancelled", share=0.34))
        snapshot = here.run(trio())
        states = Counter(branch.state for branch in snapshot.branches)
        assert states == {BranchState.DONE: 1, BranchState.FAILED: 2}
        failure = next(b.failure for b in snapshot.branches if b.failure is not None)
        assert "cancelled at Here, and not from here" in failure.message
        again = ended(here.resumed())
        assert again.status is RunStatus.SUCCEEDED
        branches = [p for p in here.server.batches.prompts if "Combine" not in p]
        assert len(branches) == len(set(branches)) == 3


def test_a_request_that_fails_for_now_goes_into_the_next_job(store: Store) -> None:
    replies = script(joke=(Reply(status=500), Reply(status=429), Reply(text="Ha.")))
    with parked(replies, store) as here:
        snapshot = here.run(trio())
    assert snapshot.status is RunStatus.SUCCEEDED
    joke = snapshot.branches[0]
    assert joke.text == "Ha." and joke.attempts == 3
    assert len(here.server.batches.made) == 4


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=400, message="No."), FailureKind.BAD_RESPONSE),
        (Reply(status=429, code="insufficient_quota"), FailureKind.QUOTA),
        (Reply(fault=Fault.REFUSAL), FailureKind.REFUSED),
        (Reply(text="x", fault=Fault.CONTENT_FILTER), FailureKind.REFUSED),
        (Reply(fault=Fault.ALL_REASONING), FailureKind.EMPTY),
    ],
)
def test_a_request_that_fails_for_good_fails_as_by_a_single_call(
    reply: Reply, kind: FailureKind, store: Store
) -> None:
    with parked(script(joke=reply), store) as here:
        snapshot = here.run(trio())
        direct = ended(here.engine.start(trio(), "rain", MODEL))
    assert snapshot.status is direct.status is RunStatus.PARTIAL
    assert snapshot.branches[0].failure == direct.branches[0].failure
    assert snapshot.branches[0].failure is not None
    assert snapshot.branches[0].failure.kind is kind


@pytest.mark.parametrize("kind", ["files", "batches", "poll", "content"])
def test_a_provider_that_fails_now_and_then_is_asked_again_and_nothing_is_made_twice(
    kind: str, store: Store
) -> None:
    with parked(script(), store) as here:
        here.server.batches.refusals[kind] = deque([500, 429, 503])
        snapshot = here.run(trio())
        assert snapshot.status is RunStatus.SUCCEEDED
        assert asked_once(here) and len(here.server.batches.made) == 2


def test_a_job_that_was_made_although_its_making_failed_is_found(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.hold = "after batches"
        handle = here.row(trio())
        assert here.server.batches.wait_until_held()
        # The answer to its making never comes: connections are cut instead.
        for client in list(here.server._ledger.open):
            here.server._ledger.reset(client)
        here.server.batches.hold = ""
        assert ended(handle).status is RunStatus.SUCCEEDED
        assert asked_once(here) and len(here.server.batches.made) == 2


def test_a_download_that_breaks_off_is_begun_again(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.cut.extend([0, 300, 700])
        assert here.run(trio()).status is RunStatus.SUCCEEDED
        assert asked_once(here)


def test_a_job_that_the_provider_forgot_fails_its_requests_in_words(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.refusals["poll"] = deque([404, 404, 404])
        snapshot = here.run(trio())
    failure = snapshot.branches[0].failure
    assert failure is not None and "does not know this batch any more" in failure.message


def test_a_provider_without_a_batch_api_is_told_as_that(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.offered = False
        snapshot = here.run(trio())
        assert not batch_api_at(here.engine, here.engine.endpoints, HERE)
        assert not batch_api_at(here.engine, here.engine.endpoints, EndpointId("nobody"))
    assert snapshot.status is RunStatus.FAILED
    failure = snapshot.branches[0].failure
    assert failure is not None and failure.message.startswith("Here has no Batch API.")


def test_a_refused_key_ends_the_row_at_once(store: Store) -> None:
    with parked(Script(key="sk-another-0123456789"), store, key=KEY) as here:
        snapshot = here.run(trio())
    failure = snapshot.branches[0].failure
    assert failure is not None and failure.kind is FailureKind.AUTH
    assert KEY not in str(rows_of(store, provider_jobs))


def test_a_field_that_the_model_calls_otherwise_is_learnt_and_nothing_is_lost(
    store: Store,
) -> None:
    replies = Script(rejects=frozenset({"max_tokens"}), otherwise=Reply(text="Well."))
    with parked(replies, store) as here:
        snapshot = here.run(shipped().get("creative-trio"))
        assert snapshot.status is RunStatus.SUCCEEDED
        assert asked_once(here) and sum(paid(here).values()) == 4
        assert all(branch.attempts == 1 for branch in snapshot.branches)


@pytest.mark.parametrize("name", ["judges", "moderation"])
def test_a_form_that_the_model_does_not_take_is_asked_for_in_another_way(
    name: str, store: Store
) -> None:
    refusing = Script(rejects_forms=frozenset({"json_schema"}))
    with parked(refusing, store) as here:
        snapshot = here.run(shipped().get(name), "A text to judge.")
        forms = [json.loads(body).get("response_format") for body in here.server.batches.prompts]
        assert asked_once(here) and {"type": "json_object"} in forms
    with Store.in_memory() as other, parked(refusing, other) as there:
        direct = ended(there.row(shipped().get(name), "A text to judge.", via=Via.CALLS))
    assert [b.ballot for b in snapshot.branches] == [b.ballot for b in direct.branches]
    assert snapshot.status is direct.status


def test_stopping_a_row_calls_its_job_off_and_keeps_what_came(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.jobs.append(JobScript(takes_s=60.0))
        handle = here.row(trio())
        assert comes_true(lambda: here.server.batches.made)
        handle.stop()
        assert ended(handle).status is RunStatus.STOPPED
        assert comes_true(lambda: here.server.batches.cancelled == here.server.batches.made)
        assert comes_true(
            lambda: [row["status"] for row in rows_of(store, provider_jobs)] == ["cancelled"]
        )
        assert rows_of(store, provider_requests) == [], "nothing was answered, nothing is wanted"
        assert ended(here.resumed()).status is RunStatus.SUCCEEDED
        assert asked_once(here)


def test_a_job_that_others_still_wait_for_is_not_called_off(store: Store) -> None:
    with parked(script(), store) as here:
        here.server.batches.jobs.append(JobScript(takes_s=0.8))
        stopped, other = here.row(trio(), "sun", 1), here.row(trio(), "rain", 2)
        assert comes_true(lambda: here.server.batches.made)
        stopped.stop()
        assert ended(stopped).status is RunStatus.STOPPED
        assert ended(other).status is RunStatus.SUCCEEDED
        assert here.server.batches.cancelled == []
        # What came for the stopped row was paid for, and is taken when it goes on.
        assert ended(here.resumed(1)).status is RunStatus.SUCCEEDED
        assert asked_once(here)


def test_a_row_that_failed_is_asked_anew_when_it_is_retried(store: Store) -> None:
    replies = script(joke=(Reply(status=400, message="No."), Reply(text="Ha.")))
    with parked(replies, store) as here:
        assert here.run(trio()).status is RunStatus.PARTIAL
        again = ended(here.resumed())
    assert again.status is RunStatus.SUCCEEDED and again.branches[0].text == "Ha."
    prompts = [p for p in here.server.batches.prompts if "Combine" not in p]
    assert len(prompts) == len(set(prompts)) == 3, "the other two were not asked again"


def test_an_engine_that_ends_leaves_its_jobs_to_the_next_one(tmp_path: Path) -> None:
    with serving(script()) as server:
        server.batches.jobs.append(JobScript(takes_s=0.5))
        with Store.open(tmp_path) as store, engine_of(server, store) as first:
            handle = first.row(trio())
            assert comes_true(lambda: server.batches.made)
        assert handle.snapshot.status is RunStatus.INTERRUPTED
        assert server.batches.cancelled == []
        with Store.open(tmp_path) as store, engine_of(server, store) as second:
            assert ended(second.resumed()).status is RunStatus.SUCCEEDED
            assert asked_once(second) and len(server.batches.made) == 2


def test_retries_end_where_the_policy_says_so(store: Store) -> None:
    once = RetryPolicy(attempts=1)
    with parked(script(joke=Reply(status=500)), store, retries=once) as here:
        snapshot = here.run(trio())
    assert AT_ONCE.attempts > 1 and snapshot.status is RunStatus.PARTIAL
    assert snapshot.branches[0].attempts == 1
