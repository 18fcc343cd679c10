"""Where one model can't answer another is asked, and what was tried before is told and paid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.endpoint import Endpoint
from fanout.events import AttemptFailed
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.store.values import Question
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchState,
    EndpointId,
    FailureKind,
    Price,
    RunStatus,
)
from fanout.workflows.definition import Workflow
from tests.rig import HERE, QUICK, rig, trio

POEM = BranchId("poem")
SMALL = Rule(model="small", replies=(Reply(text="A small poem."),))


def with_fallback(*models: str, **aggregate: object) -> Workflow:
    branches = [
        {"id": "joke", "title": "Joke", "prompt": "Write a joke about {topic}."},
        {
            "id": "poem",
            "title": "Poem",
            "prompt": "Write a poem about {topic}.",
            "fallback": list(models),
        },
    ]
    combine = {"prompt": "Combine:\n{results}", **aggregate}
    return trio(branches=branches, aggregate=combine)


def poem_fails(reply: Reply) -> Script:
    return Script(rules=(SMALL, Rule(prompt="Write a poem", replies=(reply,))), otherwise=QUICK)


def run(workflow: Workflow, script: Script) -> Snapshot:
    with rig(script) as here:
        return here.run(workflow)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=401),
        Reply(status=404, code="model_not_found"),
        Reply(status=503),
        Reply(fault=Fault.EMPTY),
        Reply(text="one two three four five", fault=Fault.NO_FINISH),
    ],
    ids=["key", "unknown model", "overloaded", "empty", "cut off"],
)
def test_another_model_answers_where_the_first_one_cannot(reply: Reply) -> None:
    snapshot = run(with_fallback("small"), poem_fails(reply))
    poem = snapshot.branch(POEM)
    assert (poem.state, poem.text) == (BranchState.DONE, "A small poem.")
    assert poem.answered_by.model == "small"
    assert poem.plan.model.model == "m"
    assert snapshot.status is RunStatus.SUCCEEDED
    assert poem.setbacks, "what the first model did is kept"


def test_a_refusal_is_not_taken_to_another_model() -> None:
    snapshot = run(with_fallback("small"), poem_fails(Reply(fault=Fault.REFUSAL)))
    poem = snapshot.branch(POEM)
    assert poem.failure is not None and poem.failure.kind is FailureKind.REFUSED
    assert poem.attempts == 1


def test_several_fallbacks_are_tried_in_their_order_and_told() -> None:
    with rig(poem_fails(Reply(status=401))) as here:
        handle = here.start(with_fallback("m", "small"))
        snapshot = handle.wait(timeout_s=20)
        failed = [event for event in handle.events if isinstance(event, AttemptFailed)]
    poem = snapshot.branch(POEM)
    assert [event.next_model.model for event in failed if event.next_model] == ["m", "small"]
    assert poem.attempts == 3
    assert poem.answered_by.model == "small"


def test_where_the_last_fallback_fails_too_its_failure_is_the_branchs() -> None:
    script = Script(
        rules=(
            Rule(model="small", replies=(Reply(status=401),)),
            Rule(prompt="Write a poem", replies=(Reply(status=503),)),
        ),
        otherwise=QUICK,
    )
    snapshot = run(with_fallback("small"), script)
    poem = snapshot.branch(POEM)
    assert poem.state is BranchState.FAILED
    assert poem.failure is not None and poem.failure.kind is FailureKind.AUTH
    assert snapshot.branch(BranchId("joke")).state is BranchState.DONE


def test_the_combining_call_has_its_own_fallback_and_branches_are_never_lost_for_it() -> None:
    script = Script(
        rules=(
            Rule(model="small", replies=(Reply(text="Together."),)),
            Rule(prompt="Combine:", replies=(Reply(status=500),)),
        ),
        otherwise=QUICK,
    )
    snapshot = run(with_fallback(fallback=["small"]), script)
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.text == "Together."
    assert snapshot.branch(AGGREGATE).answered_by.model == "small"
    alone = run(with_fallback(), replace(script, rules=script.rules[1:]))
    assert alone.status is RunStatus.PARTIAL
    assert all(branch.state is BranchState.DONE for branch in alone.branches)


def test_every_attempt_is_paid_at_the_model_that_was_asked() -> None:
    cut = Reply(text="one two three four five", fault=Fault.NO_FINISH)
    snapshot = run(with_fallback("small"), poem_fails(cut))
    poem = snapshot.branch(POEM)
    assert poem.usage is not None and poem.usage.estimated, "the first answer reported nothing"
    alone = run(with_fallback(), Script(rules=(SMALL,), otherwise=QUICK)).branch(POEM)
    assert alone.usage is not None
    assert poem.usage.output > alone.usage.output - 10
    assert poem.usage.input > alone.usage.input, "the prompt was sent twice"
    assert poem.plan.fallback[0].endpoint == HERE


def test_an_endpoint_that_is_removed_while_a_branch_backs_off_ends_that_branch_alone() -> None:
    script = Script(
        rules=(
            Rule(prompt="Write a poem", replies=(Reply(status=503, retry_after="0.2"),)),
            Rule(prompt="Combine:", replies=(QUICK,)),
        ),
        otherwise=Reply(text="one two three four five six", tokens_per_s=8),
    )
    with rig(script) as here:
        handle = here.start(with_fallback())
        for event in handle.follow():
            if isinstance(event, AttemptFailed):
                break
        here.engine.endpoints.remove(HERE)
        snapshot = handle.wait(timeout_s=20)
    poem = snapshot.branch(POEM)
    assert poem.failure is not None and poem.failure.kind is FailureKind.UNKNOWN_MODEL
    assert snapshot.branch(BranchId("joke")).state is BranchState.DONE
    assert snapshot.status is RunStatus.PARTIAL


def test_a_run_that_a_fallback_elsewhere_answered_is_not_free(tmp_path: Path) -> None:
    """Neither in the history nor in the facts about whom it asked."""
    elsewhere = EndpointId("elsewhere")
    price = Price(input=Decimal(1), output=Decimal(10), source="a test")
    with (
        Store.open(tmp_path) as store,
        rig(poem_fails(Reply(status=401)), on_this_machine=True, store=store) as here,
    ):
        paid = Endpoint(id=elsewhere, name="Elsewhere", base_url="", prices={"*": price})
        here.engine.endpoints.put(paid)
        snapshot = here.run(with_fallback("elsewhere/small"))
        assert here.engine.scribe is not None and here.engine.scribe.flush(5)
        (row,) = store.history.find(Question()).rows
    assert snapshot.made_with is not None and elsewhere in snapshot.made_with.endpoints
    assert row.cost_usd is not None and row.cost_usd > 0
    assert not row.free
