"""The same work as one prompt to one model: what going parallel is measured against.

Every task of the branches stands in one prompt, and behind them the combining task as the aggregate
would be asked. Where the branches are several votes on one question, one answer is the baseline;
where they are searches, the plain question is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from fanout.workflows.combining.defaults import PROMPTS, prompt_of
from fanout.workflows.definition import (
    Judges,
    Models,
    Moderation,
    Reasoning,
    Research,
    Sectioning,
    Workflow,
)
from fanout.workflows.judges import rubric_words, score_task
from fanout.workflows.moderation import VERDICTS
from fanout.workflows.names import LONGEST
from fanout.workflows.specs import WRITTEN_BY_A_MODEL, AggregateSpec, BranchSpec, DeadlineSpec
from fanout.workflows.templates import render

MOST_TOKENS = 16_000
"""The longest answer asked for: more than most models may write at once is refused by many."""
LONGEST_WAIT_S = 86_400.0
_TITLE = 66
_ENDING = {"prompt": "-one-prompt", "search": "-one-search"}
_COUNTED = frozenset({"vote", "scores", "ranking"})
_TOPIC = "\0topic\0"


def single_prompt(workflow: Workflow) -> Workflow:
    """The baseline of a workflow: one call, no aggregate; for research one search and its answer.

    It asks the run's model. Its answer is as long as all the calls' together, up to `MOST_TOKENS`.
    A baseline is its own baseline.
    """
    if is_single_prompt(workflow.name):
        return workflow
    match workflow:
        case Sectioning():
            return _one_after_another(workflow)
        case Models() | Reasoning():
            return _one_answer(workflow)
        case Moderation():
            return _one_moderator(workflow)
        case Judges():
            return _one_judge(workflow)
        case Research():
            return _one_search(workflow)
        case _:
            assert_never(workflow)


def is_single_prompt(name: str) -> bool:
    """Whether a workflow of that name is a baseline."""
    return name.endswith(tuple(_ENDING.values()))


def for_one_model(workflow: Workflow) -> Workflow:
    """The same workflow with every call left to the run's own model."""
    here: Mapping[str, object] = {"model": ""}
    changes: dict[str, object] = {
        "branches": tuple(branch.model_copy(update=here) for branch in workflow.branches)
    }
    if workflow.aggregate is not None:
        changes["aggregate"] = workflow.aggregate.model_copy(update=here)
    if isinstance(workflow, Models):
        changes["models"] = ()
    return workflow.model_copy(update=changes)


def _one_after_another(workflow: Sectioning) -> Sectioning:
    """Every task under its title, then the combining one; counted answers are given once."""
    active, aggregate = workflow.active, workflow.aggregate
    if len(active) == 1 or (aggregate is not None and aggregate.kind in _COUNTED):
        return _one_answer(workflow)
    tasks = [(one.title, _filled(workflow, workflow.prompt_of(one), _given(one))) for one in active]
    limits = [_limit(workflow, one) for one in active]
    if aggregate is not None and aggregate.kind in WRITTEN_BY_A_MODEL:
        first = f"When the {len(tasks)} texts above are written, combine them here."
        tasks.append((aggregate.title, f"{first}\n{_combining(workflow, aggregate)}"))
        limits.append(aggregate.max_tokens)
        if aggregate.kind == "best":
            limits.append(max((limit or 0 for limit in limits[:-1]), default=0) or None)
    order = (
        f"Do the following {len(tasks)} tasks, each in full, one after another. "
        "Put above each answer its heading, exactly as it stands here, and write nothing else."
    )
    parts = [f"## {_escaped(' '.join(title.split()))}\n\n{task}" for title, task in tasks]
    return _baseline(workflow, "\n\n".join([order, *parts]), "One prompt", limits, calls=len(tasks))


def _one_answer(workflow: Sectioning | Models | Reasoning) -> Sectioning:
    """The first branch alone: the others would answer the same question again."""
    first = workflow.active[0]
    prompt = _filled(workflow, workflow.prompt_of(first), _given(first))
    return _baseline(workflow, prompt, "One answer", [_limit(workflow, first)])


def _one_moderator(workflow: Moderation) -> Sectioning:
    """All policies in front of one moderator, who gives one verdict."""
    active = workflow.active
    limits = [max((_limit(workflow, one) or 0 for one in active), default=0) or None]
    if all(one.prompt is None for one in active):
        names = dict.fromkeys(name for one in active for name in one.variables)
        listed = {name: _listed(name, active) for name in names}
        prompt = _filled(workflow, workflow.prompt, {"title": "Moderator", **listed})
    else:
        prompt = "\n\n".join(
            f"## {_escaped(one.title)}\n\n{_filled(workflow, workflow.prompt_of(one), _given(one))}"
            for one in active
        )
    choices = f"{', '.join(VERDICTS[:-1])} or {VERDICTS[-1]}"
    end = f'Give one verdict for all of it. End with one line: "Verdict:" and {choices}.'
    return _baseline(workflow, f"{prompt}\n\n{end}", "One moderator", limits)


def _one_judge(workflow: Judges) -> Sectioning:
    """The first judge alone, with the whole rubric."""
    first = workflow.active[0]
    task = (
        f"{score_task(workflow)} Write one line per criterion: its name, a colon, the score. "
        "If the content holds several texts, with a line of --- between them, rank them from best "
        "to worst instead."
    )
    given = {**_given(first), "rubric": rubric_words(workflow), "task": task}
    prompt = _filled(workflow, workflow.prompt_of(first), given)
    return _baseline(workflow, prompt, "One judge", [_limit(workflow, first)])


def _one_search(workflow: Research) -> Research:
    """The question as it was asked, searched for once and answered the same way."""
    plain = BranchSpec(id="as-asked", title="As asked", prompt="")
    changes = {**_names(workflow, "search"), "branches": (plain,)}
    return workflow.model_copy(update=changes)


def _baseline(
    workflow: Workflow,
    prompt: str,
    title: str,
    limits: Sequence[int | None],
    *,
    calls: int = 1,
) -> Sectioning:
    """One call that may write as much, and take as long, as those that it stands for."""
    known = [limit for limit in limits if limit is not None]
    whole = len(known) == len(limits)
    first, names = workflow.active[0], _names(workflow, "prompt")
    limits_s = workflow.deadlines
    total = limits_s.total_s
    return Sectioning(
        name=names["name"],
        title=names["title"],
        promise=names["promise"],
        topic_hint=workflow.topic_hint,
        examples=workflow.examples,
        variables=workflow.variables,
        system=workflow.system,
        shared=workflow.shared,
        deadlines=DeadlineSpec(
            first_token_s=limits_s.first_token_s,
            idle_s=limits_s.idle_s,
            total_s=None if total is None else min(total * calls, LONGEST_WAIT_S),
        ),
        branches=(
            BranchSpec(
                id="one-prompt",
                title=title,
                prompt=prompt,
                temperature=workflow.defaults.temperature
                if first.temperature is None
                else first.temperature,
                max_tokens=min(sum(known), MOST_TOKENS) if whole else None,
            ),
        ),
    )


def _names(workflow: Workflow, what: str) -> dict[str, str]:
    """Name, title and promise, so that a list of runs shows what it is."""
    ending = _ENDING[what]
    return {
        "name": workflow.name[: LONGEST - len(ending)].strip("-") + ending,
        "title": f"{workflow.title[:_TITLE].rstrip()}, one {what}",
        "promise": f"The work of {workflow.title[:_TITLE].rstrip()} with one {what}, to compare",
    }


def _limit(workflow: Workflow, branch: BranchSpec) -> int | None:
    return workflow.defaults.max_tokens if branch.max_tokens is None else branch.max_tokens


def _combining(workflow: Workflow, spec: AggregateSpec) -> str:
    """The combining prompt where the results stand just above it."""
    points = ", ".join(dict.fromkeys(spec.criteria)) or "the criteria that matter most"
    prompt = prompt_of(spec)
    if spec.kind == "guided":
        prompt = spec.prompt if "{points}" in spec.prompt else PROMPTS["guided"]
        points = "\n".join(f"- {one}" for one in spec.points) or "- what matters most in each text"
    above = "" if prompt.strip().startswith("{results}") else "(the texts above)"
    asked = _filled(workflow, prompt, {"results": above, "points": points})
    match spec.kind:
        case "table":
            form = "Write a Markdown table: a row per criterion, a column per text, and a last one "
            return f"{asked}\n{form}that names the stronger text."
        case "best":
            return f"{asked}\nThen repeat the best text in full."
        case _:
            return asked


def _given(branch: BranchSpec) -> dict[str, str]:
    return {**branch.variables, "title": branch.title}


def _listed(name: str, branches: Sequence[BranchSpec]) -> str:
    """What the branches have under one name: once where it is the same, else a line for each."""
    values = {one.title: one.variables[name] for one in branches if name in one.variables}
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return "\n" + "\n".join(f"- {title}: {value}" for title, value in values.items())


def _filled(workflow: Workflow, template: str, given: Mapping[str, str]) -> str:
    """A template in which only the topic and the workflow's variables are still to be filled in."""
    open_ = {name: f"\0{name}\0" for name in ("content", *workflow.variables)}
    text = _escaped(render(template, {**open_, **given, "topic": _TOPIC}).strip())
    for name, place in {**open_, "topic": _TOPIC}.items():
        text = text.replace(place, f"{{{name}}}")
    return text


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
