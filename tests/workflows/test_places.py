"""What is wrong with a definition is told at its field; what one branch alone is asked."""

from __future__ import annotations

import tomllib

import pytest

from fanout.types import EndpointId, ModelRef
from fanout.workflows.parsing import KINDS, complaints, parse
from fanout.workflows.run import plan
from fanout.workflows.single import single
from fanout.workflows.skeletons import skeleton


def branch(**changes: object) -> dict[str, object]:
    return {"id": "a", "title": "A", "prompt": "About {topic}.", **changes}


def many(count: int) -> list[dict[str, object]]:
    return [branch(id=f"b{i}", title=f"B{i}") for i in range(count)]


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"branches": [branch(prompt="{foo}")]}, ("branches", 0, "prompt"), "{foo}"),
        ({"branches": [branch(), branch(id="b")]}, ("branches", 1, "title"), 'title "A"'),
        ({"branches": [branch(), branch(title="B")]}, ("branches", 1, "id"), 'id "a"'),
        ({"branches": [branch(prompt="a { b")]}, ("branches", 0, "prompt"), "brace"),
        ({"branches": [branch(prompt=None)], "prompt": "{x}"}, ("prompt",), "{x}"),
        ({"branches": [branch(prompt=None)]}, ("prompt",), "no prompt"),
        ({"branches": [branch(prompt=" ")]}, ("branches", 0, "prompt"), "no prompt"),
        ({"branches": [branch(id="aggregate")]}, ("branches", 0, "id"), "aggregate"),
        ({"branches": [branch(enabled=False)]}, ("branches",), "switched off"),
        (
            {"branches": [branch(times=600), branch(id="b", title="B", times=600)]},
            ("branches",),
            "",
        ),
        (
            {"branches": [branch(times=2), branch(id="a-1", title="B")]},
            ("branches", 1, "id"),
            '"a-1"',
        ),
        ({"branches": many(1001)}, ("branches",), "more than 1000"),
        ({"branches": []}, ("branches",), "at least one"),
        ({"branches": [branch(title=" ")]}, ("branches", 0, "title"), "empty"),
        ({"branches": [branch(id="A b")]}, ("branches", 0, "id"), "small letters"),
        ({"system": "{x}"}, ("system",), "{x}"),
        ({"shared": "}"}, ("shared",), "brace"),
        ({"aggregate": {"prompt": "{x}"}}, ("aggregate", "prompt"), "{x}"),
        ({"aggregate": {"result": "{x}"}}, ("aggregate", "result"), "{x}"),
        ({"kind": "moderation", "vote": {"rule": "k_of_n"}}, ("vote", "k"), "missing"),
        ({"kind": "moderation", "vote": {"k": 9}}, ("vote", "k"), "only 1"),
        ({"kind": "reasoning", "vote": {"rule": "unanimity"}}, ("vote", "rule"), "unanimity"),
        (
            {"kind": "judges", "rubric": [{"id": "a", "title": "A"}] * 2},
            ("rubric", 1, "id"),
            "criterion",
        ),
        (
            {"kind": "judges", "rubric": [{"id": "reason", "title": "A"}]},
            ("rubric", 0, "id"),
            "reason",
        ),
        (
            {"kind": "judges", "rubric": [{"id": "a", "title": "A"}], "scale": {"low": 9}},
            ("scale",),
            "low",
        ),
        (
            {"policies": {"run_s": 20, "fan_in": {"deadline_s": 30}}},
            ("policies", "fan_in", "deadline_s"),
            "whole run",
        ),
        ({"policies": {"retries": {"attempts": 99}}}, ("policies", "retries", "attempts"), "10"),
        ({"kind": "nothing"}, ("kind",), "nothing"),
        ({"title": ""}, ("title",), "empty"),
    ],
)
def test_each_complaint_points_at_its_field(
    changes: dict[str, object], where: tuple[str | int, ...], words: str
) -> None:
    data = {"title": "T", "branches": [branch()], **changes}
    (complaint, *_) = complaints(data, name="any")
    assert complaint.where == where, complaint.message
    assert words in complaint.message


def test_fifty_branches_are_fine() -> None:
    assert complaints({"title": "T", "branches": many(50)}, name="any") == ()


def test_a_deadline_that_is_false_is_none() -> None:
    data = tomllib.loads('title = "T"\n[deadlines]\nidle_s = false\n')
    workflow = parse({**data, "branches": [branch()]}, name="any")
    assert workflow.deadlines.idle_s is None
    assert complaints({**data, "branches": [branch()]}, name="any") == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_that_is_tried_alone_is_asked_what_it_would_be_asked_in_a_run(kind: str) -> None:
    workflow = skeleton(kind, name="any", title="Any")

    def resolve(name: str) -> ModelRef:
        return ModelRef(endpoint=EndpointId("here"), model=name)

    for branch, planned in zip(workflow.active, plan(workflow, "a topic", resolve), strict=True):
        alone = single(workflow, branch)
        assert plan(alone, "a topic", resolve) == (planned,)
        assert alone.aggregate is None


def test_a_branch_alone_needs_no_votes_of_others() -> None:
    data = skeleton("moderation", name="any", title="Any").model_dump(exclude={"name"})
    strict = parse({**data, "vote": {"rule": "k_of_n", "k": 3}}, name="any")
    assert single(strict, strict.active[0]).active[0].id == strict.active[0].id
