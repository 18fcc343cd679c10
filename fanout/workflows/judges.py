"""Judging by rubric: several judges score one text, or rank several that a line of --- parts."""

from __future__ import annotations

import re

from fanout.errors import InputError
from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.structured.reading import read
from fanout.types import BranchId, BranchPlan, Form
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison, Rubric
from fanout.voting.scores import Criterion, Scale
from fanout.workflows.combining.combine import combine_all
from fanout.workflows.comparing import (
    MOST_CANDIDATES,
    comparison,
    ranking_ballot,
    ranking_form,
    shown,
)
from fanout.workflows.definition import Judges
from fanout.workflows.polling import poll
from fanout.workflows.prompting import Resolve, branch_plan

_PARTING = re.compile(r"^[^\S\n]*-{3,}[^\S\n]*$", re.MULTILINE)


def texts_in(topic: str) -> tuple[str, ...]:
    """The texts to judge: one, or several parted by lines of three or more hyphens."""
    return tuple(part.strip() for part in _PARTING.split(topic) if part.strip())


def plan(spec: Judges, topic: str, resolve: Resolve, marker: str = "") -> tuple[BranchPlan, ...]:
    """One call per judge. InputError where there are more texts than letters for them."""
    texts = texts_in(topic)
    how = vote(spec, topic)
    if isinstance(how, Rubric):
        form = scores_form(spec)
        values = {"rubric": rubric_words(spec), "task": score_task(spec)}
        return tuple(
            branch_plan(spec, one, topic, resolve, marker=marker, form=form, values=values)
            for one in spec.active
        )
    by_id = {f"text-{i}": text for i, text in enumerate(texts, 1)}
    plans = []
    for one in spec.active:
        order = how.orders[BranchId(one.id)]
        values = {
            "content": shown(order, by_id, marker),
            "rubric": rubric_words(spec),
            "task": "Rank the texts from best to worst by these criteria, by their letters.",
        }
        form = ranking_form(order)
        plans.append(
            branch_plan(spec, one, topic, resolve, marker=marker, form=form, values=values)
        )
    return tuple(plans)


def vote(spec: Judges, topic: str) -> Rubric | Comparison:
    """Scores for one text, a ranking for several."""
    texts = texts_in(topic)
    if len(texts) < 2:
        criteria = tuple(
            Criterion(id=one.id, title=one.title, weight=one.weight) for one in spec.rubric
        )
        return Rubric(criteria=criteria, scale=Scale(low=spec.scale.low, high=spec.scale.high))
    if len(texts) > MOST_CANDIDATES:
        raise InputError(
            f"There are {len(texts)} texts to compare; {MOST_CANDIDATES} is the most. "
            "Take some out, or judge them in two runs."
        )
    titles = {f"text-{i}": f"Text {i}" for i in range(1, len(texts) + 1)}
    voters = [BranchId(one.id) for one in spec.active]
    return comparison(titles, voters, {}, seed=topic)


def scores_form(spec: Judges) -> Form:
    score = {"type": "integer", "minimum": spec.scale.low, "maximum": spec.scale.high}
    scores = {one.id: dict(score) for one in spec.rubric}
    return Form(
        name="scores",
        needed=(),
        schema={
            "type": "object",
            "properties": {"reason": {"type": "string", "maxLength": 300}, **scores},
            "required": ["reason", *scores],
        },
    )


def rubric_words(spec: Judges) -> str:
    return "\n".join(
        f"- {one.title} ({one.id}){f': {one.question}' if one.question else ''}"
        for one in spec.rubric
    )


def score_task(spec: Judges) -> str:
    low, high = spec.scale.low, spec.scale.high
    return f"Score each criterion from {low} (poor) to {high} (excellent), in whole numbers."


def ballot(spec: Judges, how: Rubric | Comparison, branch: Branch) -> Ballot:
    """A judge's answer as scores or a ranking; a score outside the scale doesn't count."""
    if isinstance(how, Comparison):
        return ranking_ballot(branch, how)
    reading = read(scores_form(spec).lenient, branch.text)
    value = reading.value or {}
    scores = {
        one.id: float(score)
        for one in spec.rubric
        if isinstance(score := value.get(one.id), int | float) and not isinstance(score, bool)
    }
    reason = str(value.get("reason") or "")
    if not scores:
        problem = reading.problem or "The answer holds no score."
        return Ballot(voter=branch.id, choice=None, reason=reason, problem=problem)
    # A score that can't be used is left out; the others count.
    return Ballot(
        voter=branch.id, choice="scored", said=reading.problem, reason=reason, scores=scores
    )


async def run(spec: Judges, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Ask all judges, then count."""
    how = vote(spec, topic)
    await poll(
        how,
        lambda branch: ballot(spec, how, branch),
        context,
        combine=lambda: combine_all(spec, topic, resolve, context),
    )
