"""Sectioning as pure functions: the prompts of a plan, the heading, what is combined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.snapshot import Branch, Phase, Snapshot
from fanout.types import AGGREGATE, BranchId, BranchState, EndpointId, ModelRef, RunId
from fanout.workflows.combining.material import Material, heading
from fanout.workflows.combining.written import synthesis_plan
from fanout.workflows.definition import Sectioning
from fanout.workflows.parsing import parse
from fanout.workflows.quoting import NOTICE, marker_of, quoted
from fanout.workflows.sectioning import plan
from fanout.workflows.specs import AggregateSpec

MODEL = ModelRef(endpoint=EndpointId("here"), model="m")


def resolve(name: str) -> ModelRef:
    return replace(MODEL, model=name) if name else MODEL


def workflow() -> Sectioning:
    trio = parse(
        {
            "title": "Trio",
            "system": "You write about {topic}.",
            "shared": "Text: {topic}",
            "prompt": "As {role}, in one line.",
            "defaults": {"temperature": 0.5, "max_tokens": 50},
            "branches": [
                {"id": "joke", "title": "Joke", "variables": {"role": "a clown"}},
                {"id": "poem", "title": "Poem", "prompt": "A {title}.", "max_tokens": 9},
                {"id": "off", "title": "Off", "prompt": "x", "enabled": False},
                {"id": "story", "title": "Story", "prompt": "A story.", "model": "big"},
            ],
            "aggregate": {
                "prompt": "About {topic}:\n{results}",
                "result": "[{title}] {text}",
                "max_tokens": 70,
            },
        },
        name="trio",
    )
    assert isinstance(trio, Sectioning)
    return trio


def ended(states: dict[str, BranchState], left_out: tuple[str, ...] = ()) -> Material:
    plans = plan(workflow(), "rain", resolve)
    branches = tuple(
        Branch(
            plan=p,
            text=f"{p.id} text ",
            phases=(Phase(state=states.get(p.id, BranchState.DONE), since_s=1.0),),
        )
        for p in plans
    )
    snapshot = Snapshot(
        run_id=RunId("r"), workflow="trio", title="Trio", topic="rain", started_at=0.0,
        branches=branches,
    )  # fmt: skip
    return Material(
        workflow=workflow(),
        topic="rain",
        snapshot=snapshot,
        resolve=resolve,
        left_out=frozenset(BranchId(name) for name in left_out),
    )


def test_shared_text_comes_first_and_defaults_give_way_to_a_branch() -> None:
    joke, poem, story = plan(workflow(), "rain {x}", resolve)
    assert [p.id for p in (joke, poem, story)] == ["joke", "poem", "story"]
    assert [m.role for m in joke.messages] == ["system", "user"]
    assert joke.messages[1].content == "Text: rain {x}\n\nAs a clown, in one line."
    assert poem.messages[1].content == "Text: rain {x}\n\nA Poem."
    assert (joke.max_tokens, poem.max_tokens, joke.temperature) == (50, 9, 0.5)
    assert (joke.model.model, story.model.model) == ("m", "big")


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({}, "Synthesis of 3 of 3"),
        ({"poem": BranchState.FAILED}, "Synthesis of 2 of 3: Poem failed"),
        (
            {"joke": BranchState.STOPPED, "poem": BranchState.TIMED_OUT},
            "Synthesis of 1 of 3: Joke stopped, Poem timed out",
        ),
    ],
)
def test_the_heading_says_what_the_answer_is_made_of(
    states: dict[str, BranchState], words: str
) -> None:
    assert heading(AggregateSpec(), ended(states)) == words


def test_a_branch_that_was_left_out_or_still_writes_is_named_in_the_heading() -> None:
    material = ended({"poem": BranchState.WRITING}, left_out=("joke",))
    assert heading(AggregateSpec(), material) == (
        "Synthesis of 1 of 3: Joke left out, Poem still writing"
    )


def test_only_branches_with_a_result_are_combined() -> None:
    spec = workflow().aggregate
    assert spec is not None
    combined = synthesis_plan(spec, ended({"poem": BranchState.FAILED}))
    assert combined.id == AGGREGATE
    marker = marker_of("r")
    said = (f"[{name.title()}] {quoted(f'{name} text', marker)}" for name in ("joke", "story"))
    expected = "About rain:\n" + "\n\n".join([*said, NOTICE])
    assert combined.messages[0].content == expected
    assert combined.max_tokens == 70


def test_nothing_is_usable_when_every_branch_failed() -> None:
    states = dict.fromkeys(("joke", "poem", "story"), BranchState.FAILED)
    assert ended(states).used == ()
