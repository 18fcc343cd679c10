"""A run's record, read back into a recipe."""

from __future__ import annotations

from dataclasses import replace

from fanout.errors import FanoutError
from fanout.export.code.as_sent import as_sent
from fanout.export.code.recipe import Recipe
from fanout.export.code.templates import from_templates
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.store.values import StoredRun
from fanout.voting.plans import Comparison
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse


def recipe(run: StoredRun | Snapshot) -> Recipe:
    """How to do that run again."""
    snapshot = _printable(run.snapshot if isinstance(run, StoredRun) else run)
    workflow = _definition(snapshot)
    if workflow is not None and _known(workflow, snapshot):
        return from_templates(snapshot, workflow)
    return as_sent(snapshot)


def _printable(snapshot: Snapshot) -> Snapshot:
    """With titles that a terminal can show, whatever an import held."""
    return replace(
        snapshot,
        branches=tuple(_titled(one) for one in snapshot.branches),
        aggregates=tuple(_combined(one) for one in snapshot.aggregates),
    )


def _combined(aggregate: Aggregate) -> Aggregate:
    return replace(aggregate, branch=_titled(aggregate.branch))


def _titled(branch: Branch) -> Branch:
    title = branch.title.encode("utf-8", "replace").decode()
    return replace(branch, plan=replace(branch.plan, title=title))


def _definition(snapshot: Snapshot) -> Workflow | None:
    if snapshot.made_with is None or not snapshot.made_with.definition:
        return None
    try:
        return parse(snapshot.made_with.definition, name=snapshot.workflow)
    except (FanoutError, RecursionError):
        return None


def _known(workflow: Workflow, snapshot: Snapshot) -> bool:
    """Whether the definition is of these branches, and can be written with one content for all."""
    specs = {one.id: one for one in workflow.active}
    if {branch.id for branch in snapshot.branches} != specs.keys():
        return False
    if not isinstance(snapshot.vote, Comparison):
        return True
    templates = [workflow.system, *(workflow.prompt_of(one) for one in specs.values())]
    return not any("{content}" in template for template in templates)
