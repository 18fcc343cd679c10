"""Every shipped workflow puts what its branches share first, so that it can be paid once."""

from __future__ import annotations

import pytest

from fanout.kernel.prefix import PrefixMemory, openings
from fanout.tokens import estimated_tokens
from fanout.types import BranchPlan, EndpointId, ModelRef
from fanout.workflows.library import shipped
from fanout.workflows.quoting import marker_of
from fanout.workflows.run import plan

MODEL = ModelRef(endpoint=EndpointId("far"), model="large")
TEXT = "The council wants to close Mill Street to cars on every Saturday of the summer. " * 80
"""1,600 tokens."""
MARKER = marker_of("a run of this test")


def planned(name: str, topic: str) -> tuple[BranchPlan, ...]:
    workflow = shipped().get(name)
    return tuple(p for p in plan(workflow, topic, lambda _: MODEL, MARKER) if p.messages)


NAMES = sorted(workflow.name for workflow in shipped().workflows)


@pytest.mark.parametrize("name", NAMES)
def test_all_branches_of_a_workflow_begin_with_its_text(name: str) -> None:
    plans = planned(name, TEXT)
    (opening,) = openings(plans, "auto", {}, (), PrefixMemory())
    assert opening.branches == tuple(each.id for each in plans)
    assert opening.tokens >= estimated_tokens(TEXT)


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_of_a_few_words_is_not_worth_waiting_for(name: str) -> None:
    assert openings(planned(name, "bees"), "auto", {}, (), PrefixMemory()) == ()
