"""A run whose definition is known: prompts are templates again, and take another topic."""

from __future__ import annotations

from keyword import iskeyword

from fanout.export.code.literals import Slot, Text, filled, names_in, stripped
from fanout.export.code.models import aggregate_model, run_model
from fanout.export.code.recipe import CONTENT, QUOTED_TOPIC, TOPIC, Asked, Recipe
from fanout.snapshot import Snapshot
from fanout.voting.plans import Comparison
from fanout.workflows.definition import Judges, Workflow
from fanout.workflows.judges import rubric_words, score_task

RANKING_TASK = "Rank the texts from best to worst by these criteria, by their letters."
_TAKEN = frozenset({"str", "content", "quoted"})


def from_templates(snapshot: Snapshot, workflow: Workflow) -> Recipe:
    """How to do that run again, with any topic."""
    ranks = isinstance(snapshot.vote, Comparison)
    rubric = _rubric(workflow, ranks=ranks)
    content = CONTENT if ranks else QUOTED_TOPIC
    given: dict[str, Text] = {
        **_of_all(workflow),
        "topic": TOPIC,
        **{name.lower(): (Slot(code=name),) for name in rubric},
    }
    sharing = [one for one in workflow.active if one.prompt is None]
    names = [name for name in names_in(workflow.prompt) if name not in {*given, "content"}]
    common = len(sharing) > 1 and all(_fit(name) for name in names)
    plans = {str(branch.id): branch.plan for branch in snapshot.branches}
    branches = []
    for one in workflow.active:
        said = {**workflow.variables, **one.variables, "title": one.title}
        own: dict[str, Text] = {name: (text,) for name, text in said.items()}
        prompt = filled(workflow.prompt_of(one), {"content": content, **own, **given})
        by_call = common and one.prompt is None and "content" not in one.variables
        branches.append(
            Asked(
                plan=plans[one.id],
                prompt=stripped(prompt),
                variables={name: said[name] for name in names} if by_call else None,
            )
        )
    slots: dict[str, Text] = {name: (Slot(code=name),) for name in names}
    own_texts: dict[str, Text] = {name: (text,) for name, text in workflow.variables.items()}
    of_all: dict[str, Text] = {"content": content, **own_texts, **given}
    return Recipe(
        snapshot=snapshot,
        model=run_model(snapshot),
        branches=tuple(branches),
        system=stripped(filled(workflow.system, of_all)),
        shared=stripped(filled(workflow.shared, of_all)),
        prompt=stripped(filled(workflow.prompt, {**of_all, **slots})) if common else (),
        parameters=tuple(names) if common else (),
        workflow=workflow,
        aggregate=workflow.aggregate,
        aggregate_model=aggregate_model(snapshot, workflow.aggregate),
        constants=rubric,
    )


def _of_all(workflow: Workflow) -> dict[str, Text]:
    """Its variables that no branch has another text for."""
    own = {name for one in workflow.active for name in one.variables}
    return {name: (text,) for name, text in workflow.variables.items() if name not in own}


def _rubric(workflow: Workflow, *, ranks: bool) -> dict[str, Text]:
    """What a judge's prompt names beside the topic."""
    if not isinstance(workflow, Judges):
        return {}
    task = RANKING_TASK if ranks else score_task(workflow)
    return {"RUBRIC": (rubric_words(workflow),), "TASK": (task,)}


def _fit(name: str) -> bool:
    """Whether a template's variable can be a parameter."""
    return name.isascii() and name.islower() and not iskeyword(name) and name not in _TAKEN
