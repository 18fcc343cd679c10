"""The same work as one prompt: what it asks for every kind, and that it really runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.providers.scripted import prompt_of
from fanout.types import RunStatus
from fanout.workflows.baseline import (
    MOST_TOKENS,
    for_one_model,
    is_single_prompt,
    single_prompt,
)
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from fanout.workflows.parsing import parse
from tests.rig import rig, script, trio
from tests.workflows.documents import filled, searching

SHIPPED = [pytest.param(workflow, id=workflow.name) for workflow in shipped().workflows]


def asked(workflow: Workflow, topic: str = "rain") -> str:
    """What the model reads when the baseline of a workflow is run."""
    with rig(script()) as here:
        here.run(single_prompt(workflow), topic)
        (request,) = here.provider.requests
        return prompt_of(request)


@pytest.mark.parametrize("workflow", SHIPPED)
def test_the_baseline_of_every_shipped_workflow_runs_with_one_call(
    workflow: Workflow, tmp_path: Path
) -> None:
    topic = workflow.examples[0]
    with filled(tmp_path) as library, searching(library, script()) as here:
        snapshot = here.run(
            single_prompt(workflow), topic if workflow.kind != "research" else "wind"
        )
        assert snapshot.status is RunStatus.SUCCEEDED
        assert len(snapshot.branches) == 1
        assert len(here.provider.requests) == 1
        assert snapshot.title.startswith(workflow.title)
        assert snapshot.title.endswith((", one prompt", ", one search"))


@pytest.mark.parametrize("workflow", SHIPPED)
def test_a_baseline_can_be_written_down_and_read_again(workflow: Workflow) -> None:
    made = single_prompt(workflow)
    assert is_single_prompt(made.name)
    assert not is_single_prompt(workflow.name)
    assert single_prompt(made) is made
    data = made.model_dump(mode="json", exclude={"name"})
    assert parse(data, name=made.name) == made


def test_all_tasks_stand_in_one_prompt_and_the_combining_one_behind_them() -> None:
    prompt = asked(trio())
    order = ["3 texts", "Combine:"]
    headings = [
        "## Joke",
        "Write a joke about rain.",
        "## Story",
        "## Poem",
        "## Synthesis",
        *order,
    ]
    places = [prompt.index(piece) for piece in headings]
    assert places == sorted(places)
    assert "{" not in prompt


def test_a_branch_that_is_switched_off_is_not_asked_for() -> None:
    data = trio().model_dump(exclude={"name"})
    data["branches"][1]["enabled"] = False
    assert "Story" not in asked(parse(data, name="trio"))


def test_without_an_aggregate_nothing_is_combined() -> None:
    prompt = asked(trio(aggregate=None))
    assert "combine" not in prompt.lower()
    assert "3 tasks" in prompt


def test_a_single_branch_is_asked_as_it_is() -> None:
    assert asked(trio(("joke",), aggregate=None)) == "Write a joke about rain."


def test_one_moderator_reads_every_policy_and_gives_one_verdict() -> None:
    moderation = shipped().get("moderation")
    prompt = asked(moderation, "Buy now!!!")
    for branch in moderation.branches:
        assert branch.variables["policy"] in prompt
    assert prompt.count("Does the content keep this policy?") == 1
    assert re.search(r'^("""[a-z]*)\nBuy now!!!\n\1$', prompt, re.MULTILINE)
    assert "allow, flag or block" in prompt


def test_one_judge_reads_the_whole_rubric() -> None:
    prompt = asked(shipped().get("judges"))
    assert all(title in prompt for title in ("Clarity", "Evidence", "Usefulness"))
    assert "from 1 (poor) to 5 (excellent)" in prompt


def test_votes_are_answered_once() -> None:
    prompt = asked(shipped().get("reasoning"), "How many legs has a spider?")
    assert prompt.count("Final answer") == 1
    assert prompt.count("How many legs has a spider?") == 1


def test_research_searches_once_for_the_plain_question(tmp_path: Path) -> None:
    with filled(tmp_path) as library, searching(library, script()) as here:
        snapshot = here.run(single_prompt(shipped().get("research")), "annual fee")
    (branch,) = snapshot.branches
    assert branch.queries == ("annual fee",)
    assert branch.hits
    assert snapshot.aggregate is not None and snapshot.aggregate.passages


def test_the_answer_may_be_as_long_as_all_the_others_together_but_not_endless() -> None:
    (branch,) = single_prompt(shipped().get("creative-trio")).branches
    assert branch.max_tokens == 100 + 280 + 200 + 260
    (long,) = single_prompt(trio(defaults={"max_tokens": 9_000})).branches
    assert long.max_tokens is None, "the combining call has no limit, so the baseline has none"
    aggregate = {"prompt": "{results}", "max_tokens": 10}
    (long,) = single_prompt(trio(defaults={"max_tokens": 9_000}, aggregate=aggregate)).branches
    assert long.max_tokens == MOST_TOKENS


def test_it_may_take_as_long_as_the_calls_it_stands_for() -> None:
    made = single_prompt(trio(deadlines={"total_s": 10, "idle_s": 3}))
    assert (made.deadlines.total_s, made.deadlines.idle_s) == (40, 3)
    assert single_prompt(trio(deadlines={"total_s": False})).deadlines.total_s is None


@pytest.mark.parametrize("kind", ["table", "guided", "best"])
def test_other_ways_of_combining_are_asked_for_in_words(kind: str) -> None:
    aggregate = {"kind": kind, "title": "Result", "criteria": ["Wit"], "points": ["the rain"]}
    prompt = asked(trio(aggregate=aggregate))
    words = {"table": "Wit", "guided": "- the rain", "best": "repeat the best text"}
    assert words[kind] in prompt
    assert "{" not in prompt


@given(st.text(max_size=40).filter(str.strip), st.text(max_size=40))
def test_braces_and_marks_in_definitions_reach_the_model_as_they_are(role: str, topic: str) -> None:
    data = {
        "title": "T",
        "prompt": "As {role} with {{braces}} on {topic}.",
        "branches": [
            {"id": "a", "title": "A {x}", "variables": {"role": role}},
            {"id": "b", "title": "B", "variables": {"role": "{topic}"}},
        ],
    }
    made = single_prompt(parse(data, name="t"))
    prompt = made.prompt_of(made.branches[0])
    assert "{{braces}} on {topic}" in prompt
    assert "As {{topic}} with" in prompt
    assert "## A {{x}}" in prompt


@pytest.mark.parametrize("length", [5, 29, 30, 40])
def test_names_stay_names_however_long(length: int) -> None:
    workflow = parse(
        {**trio().model_dump(exclude={"name"}), "title": "T" * 80}, name="a-" * 19 + "bc"
    )
    made = single_prompt(workflow.model_copy(update={"name": workflow.name[:length].strip("-")}))
    assert len(made.name) <= 40
    assert len(made.title) <= 80
    data = made.model_dump(mode="json", exclude={"name"})
    assert parse(data, name=made.name) == made


def test_every_call_can_be_left_to_the_runs_own_model() -> None:
    data = trio().model_dump(exclude={"name"})
    data["branches"][0]["model"] = "elsewhere/big"
    data["aggregate"]["model"] = "elsewhere/big"
    workflow = for_one_model(parse(data, name="trio"))
    assert {branch.model for branch in workflow.branches} == {""}
    assert workflow.aggregate is not None and workflow.aggregate.model == ""
    models = shipped().get("models").model_copy(update={"models": ("one", "two")})
    assert len(for_one_model(models).active) == 3, "three temperatures of the run's model"
