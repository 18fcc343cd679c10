"""One prompt to several models: each its own branch, whatever becomes of the others."""

from __future__ import annotations

import pytest

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.errors import DefinitionError
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted import Scripted
from fanout.types import BranchId, BranchState, EndpointId, FailureKind, ModelRef, RunStatus
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.rig import AT_ONCE, HERE, MODEL, rig
from tests.workflows.panels import record_of

THERE = EndpointId("there")


def models(*names: str, **changes: object) -> Workflow:
    data: dict[str, object] = {
        "kind": "models",
        "title": "Models",
        "prompt": "{topic}",
        "models": list(names),
        "aggregate": {"kind": "concatenation", "title": "All"},
    }
    return parse({**data, **changes}, name="models")


def by_model(**texts: str | Reply) -> Script:
    return Script(
        rules=tuple(
            Rule(model=name, replies=(text if isinstance(text, Reply) else Reply(text=text),))
            for name, text in texts.items()
        )
    )


def test_each_model_answers_in_a_branch_of_its_own() -> None:
    with rig(by_model(big="Big.", small="Small.", m="Mine.")) as here:
        handle = here.start(models("big", "small", ""))
        snapshot = handle.wait(timeout_s=20)
    assert [(b.title, b.text) for b in snapshot.branches] == [
        ("big", "Big."),
        ("small", "Small."),
        ("The run's model", "Mine."),
    ]
    assert snapshot.status is RunStatus.SUCCEEDED
    assert [branch["model"] for branch in record_of(handle)["branches"]] == ["big", "small", "m"]


def test_with_no_model_named_the_runs_own_answers_at_several_temperatures() -> None:
    with rig(Script()) as here:
        snapshot = here.run(models(temperatures=[0.2, 0.9, 0.2]))
        asked = [(request.model, request.temperature) for request in here.provider.requests]
    assert [branch.title for branch in snapshot.branches] == ["Temperature 0.2", "Temperature 0.9"]
    assert sorted(asked) == [("m", 0.2), ("m", 0.9)]


def test_a_model_that_is_named_twice_is_asked_twice_under_two_titles() -> None:
    with rig(by_model(big="Big.")) as here:
        snapshot = here.run(models("big", "big"))
        assert len(here.provider.requests) == 2
    assert [branch.title for branch in snapshot.branches] == ["big (1)", "big (2)"]
    assert [branch.id for branch in snapshot.branches] == ["model-1", "model-2"]


def test_models_of_several_endpoints_are_asked_where_they_are() -> None:
    here, there = Scripted(by_model(m="Here.")), Scripted(by_model(m="There."))
    book = EndpointBook(lambda endpoint, _key: here if endpoint.id == HERE else there)
    for name in (HERE, THERE):
        book.put(Endpoint(id=name, name=name, base_url=""))
    with Engine(book, retries=AT_ONCE) as engine:
        snapshot = engine.start(models("", "there/m"), "rain", MODEL).wait(timeout_s=20)
    assert [branch.text for branch in snapshot.branches] == ["Here.", "There."]
    assert snapshot.branches[1].plan.model == ModelRef(endpoint=THERE, model="m")


def test_a_model_nobody_knows_fails_alone() -> None:
    unknown = Reply(status=404, code="model_not_found")
    answers: dict[str, str | Reply] = {"m": "Mine.", "nowhere/big": unknown}
    script = by_model(**answers)
    with rig(script) as here:
        handle = here.start(models("", "nowhere/big"))
        snapshot = handle.wait(timeout_s=20)
    good, bad = snapshot.branches
    assert good.state is BranchState.DONE
    assert bad.state is BranchState.FAILED
    assert bad.failure is not None and bad.failure.kind is FailureKind.UNKNOWN_MODEL
    assert snapshot.status is RunStatus.PARTIAL
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "All of 1 of 2: big failed"
    assert "Mine." in snapshot.aggregate.text


def test_an_endpoint_that_is_gone_fails_its_own_branch_only() -> None:
    provider = Scripted(by_model(m="Mine."))
    book = EndpointBook(lambda _endpoint, _key: provider)
    for name in (HERE, THERE):
        book.put(Endpoint(id=name, name=name, base_url="", slots=1))
    with Engine(book, retries=AT_ONCE) as engine:
        gone = ModelRef(endpoint=EndpointId("gone"), model="m")
        workflow = models("", "there/m")
        snapshot = engine.start(workflow, "rain", gone).wait(timeout_s=20)
    bad, good = snapshot.branches
    assert good.state is BranchState.DONE and good.text == "Mine."
    assert bad.failure is not None and bad.failure.kind is FailureKind.UNKNOWN_MODEL
    assert 'no endpoint "gone"' in bad.failure.message
    assert snapshot.status is RunStatus.PARTIAL


def test_a_models_run_needs_a_prompt() -> None:
    with pytest.raises(DefinitionError, match="prompt is missing"):
        models("a", prompt=" ")


def test_a_thousand_and_one_branches_are_refused() -> None:
    names = [f"m{n}" for n in range(50)]
    with rig(Script(otherwise=Reply(text="Fine."))) as here:
        handle = here.start(models(*names))
        snapshot = handle.wait(timeout_s=20)
    assert len(snapshot.branches) == 50
    assert all(branch.state is BranchState.DONE for branch in snapshot.branches)
    assert snapshot.status is RunStatus.SUCCEEDED
    assert snapshot.aggregate is not None and snapshot.aggregate.heading == "All of 50 of 50"
    assert len(record_of(handle)["branches"]) == 50
    with pytest.raises(DefinitionError, match="more than 1000 entries"):
        models(*(f"m{n}" for n in range(1001)))


def test_branches_that_are_asked_several_times_count_towards_the_thousand() -> None:
    def asked(times: int) -> Workflow:
        branches = [
            {"id": "a", "title": "A", "times": times},
            {"id": "b", "title": "B", "times": 500},
        ]
        return models(branches=branches)

    assert len(asked(500).active) == 1000
    with pytest.raises(DefinitionError, match="1001 branches; 1000 is the most"):
        asked(501)


def test_own_branches_can_name_their_models() -> None:
    branches = [
        {"id": "a", "title": "A", "model": "big"},
        {"id": "b", "title": "B", "model": "small", "prompt": "In one word: {topic}"},
    ]
    with rig(by_model(big="Big.", small="Small.")) as here:
        snapshot = here.run(models(branches=branches))
    assert snapshot.branch(BranchId("b")).text == "Small."
    assert snapshot.branch(BranchId("b")).plan.messages[-1].content == "In one word: rain"
