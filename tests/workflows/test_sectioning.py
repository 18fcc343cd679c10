"""Sectioning as pure functions: the prompts of a plan, the heading, what is combined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.snapshot import Branch, Phase
from fanout.types import AGGREGATE, BranchState, EndpointId, ModelRef
from fanout.workflows.definition import Sectioning
from fanout.workflows.parsing import parse
from fanout.workflows.specs import AggregateSpec
from fanout.workflows.sectioning import aggregate_plan, heading, plan

MODEL = ModelRef(endpoint=EndpointId("here"), model="m")


def resolve(name: str) -> ModelRef:
    return replace(MODEL, model=name) if name else MODEL


def workflow() -> Sectioning:
    return parse(
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


def ended(states: dict[str, BranchState]) -> list[Branch]:
    plans = plan(workflow(), "rain", resolve)
    return [
        Branch(
            plan=p,
            text=f"{p.id} text ",
            phases=(Phase(state=states.get(p.id, BranchState.DONE), since_s=1.0),),
        )
        for p in plans
    ]


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


def test_only_branches_with_a_result_are_combined() -> None:
    branches = ended({"poem": BranchState.FAILED})
    combined = aggregate_plan(workflow(), "rain", branches, resolve)
    assert combined is not None
    assert combined.id == AGGREGATE
    expected = "About rain:\n[Joke] joke text\n\n[Story] story text"
    assert combined.messages[0].content == expected
    assert combined.max_tokens == 70


def test_nothing_is_combined_when_every_branch_failed() -> None:
    states = dict.fromkeys(("joke", "poem", "story"), BranchState.FAILED)
    assert aggregate_plan(workflow(), "rain", ended(states), resolve) is None
