"""One branch of a workflow as a workflow of its own, to be tried without paying for the others."""

from __future__ import annotations

from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from fanout.workflows.specs import BranchSpec


def single(workflow: Workflow, branch: BranchSpec) -> Workflow:
    """The same calls as that branch would make in a run, and nothing combined from them.

    What counts votes is set to the plainest rule: with one voter, others can't be met.
    """
    data = workflow.model_dump(exclude={"name"})
    data["branches"] = [branch.model_copy(update={"enabled": True, "times": 1}).model_dump()]
    data["aggregate"] = None
    if "vote" in data:
        data["vote"] = {"rule": "majority", "early_stop": "never"}
    return parse(data, name=workflow.name)
