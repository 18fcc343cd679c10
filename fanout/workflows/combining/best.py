"""Best of n: judges rank the branches' texts without knowing whose they are."""

from __future__ import annotations

from dataclasses import replace

from fanout.insight.votes import outcome
from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.types import BranchId, BranchPlan, Failure, FailureKind, ModelRef
from fanout.voting.plans import Comparison
from fanout.voting.ranking import Ranking
from fanout.voting.words import ranking_text
from fanout.workflows.combining.defaults import prompt_of
from fanout.workflows.combining.material import Material, begin
from fanout.workflows.comparing import (
    MOST_CANDIDATES,
    comparison,
    ranking_ballot,
    ranking_form,
    shown,
)
from fanout.workflows.quoting import NOTICE, tame
from fanout.workflows.specs import AggregateSpec

_NO_JUDGEMENT = Failure(
    kind=FailureKind.BAD_RESPONSE,
    message="No judge gave a ranking that could be read, so no answer is called the best. "
    "Combine again with another model, or in another way.",
)


async def best(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """Ask the judges at once, count their rankings, and show the winner's text in full."""
    used = material.used
    if len(used) == 1:
        only = "Only one answer is left, so there was nothing to judge."
        _settled(spec, material, context, f"{only}\n\n{used[0].text.strip()}")
        return
    if len(used) > MOST_CANDIDATES:
        _settled(spec, material, context, "", _too_many(len(used)))
        return
    vote, judges = judges_of(spec, material)
    plan = material.call(spec, "counted")
    begin(spec, material, context, plan, before=judges, vote=vote)

    def heard(branch: Branch) -> None:
        if branch.state.succeeded:
            ballot = ranking_ballot(branch, vote)
            # A small model may give the marker for a reason.
            reason = tame(ballot.reason, material.marker).strip()
            context.cast(branch.id, replace(ballot, reason=reason))

    answered = await context.fan_out(judges, heard=heard)
    result = outcome(vote, answered)
    assert isinstance(result, Ranking)
    if context.stopped or (context.over and not result.ballots):
        await context.ask(plan)  # Stopped or out of time as well, without asking anybody.
        return
    if not result.ballots:
        context.settle(plan, "", _NO_JUDGEMENT)
        return
    context.settle(plan, best_text(result, used))


def best_text(result: Ranking, used: tuple[Branch, ...]) -> str:
    """The ranking in words, and the text of the winner; tied or disputed, of none."""
    titles = {str(branch.id): branch.title for branch in used}
    words = ranking_text(result, titles)
    top = [place for place in result.places if place.place == 1]
    if len(top) != 1 or result.disagree:
        return words
    winner = next(branch for branch in used if branch.id == top[0].candidate)
    return f"{words}\n\n---\n\n{winner.text.strip()}"


def judges_of(spec: AggregateSpec, material: Material) -> tuple[Comparison, tuple[BranchPlan, ...]]:
    """Who judges and in which order each sees the texts, and their calls.

    Where the texts come from different models, those judge each other and never themselves."""
    used = material.used
    authors = [branch.plan.model for branch in used]
    each_other = len(set(authors)) == len(authors) > 2 and not spec.model
    models: list[ModelRef] = authors if each_other else [material.resolve(spec.model)] * spec.judges
    voters = [BranchId(f"{material.id}-judge-{i}") for i in range(1, len(models) + 1)]
    own = {voter: str(branch.id) for voter, branch in zip(voters, used, strict=False)}
    vote = comparison(
        {branch.id: branch.title for branch in used},
        voters,
        own if each_other else {},
        seed=material.snapshot.run_id,
    )
    texts = {str(branch.id): branch.text for branch in used}
    plans = []
    for i, (voter, model) in enumerate(zip(voters, models, strict=True), 1):
        order = vote.orders[voter]
        seen = f"{shown(order, texts, material.marker)}\n\n{NOTICE}"
        plans.append(
            material.call(
                spec,
                material.filled(prompt_of(spec), seen, ", ".join(spec.criteria)),
                name=f"judge-{i}",
                title=f"Judge {i}",
                form=ranking_form(order),
                model=model,
            )
        )
    return vote, tuple(plans)


def _too_many(texts: int) -> Failure:
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"There are {texts} answers to compare; {MOST_CANDIDATES} is the most, so nobody "
        "was asked. Leave some out and combine again.",
    )


def _settled(
    spec: AggregateSpec,
    material: Material,
    context: RunContext,
    text: str,
    failure: Failure | None = None,
) -> None:
    """Nothing to judge: nobody is asked."""
    plan = material.call(spec, "nobody to ask")
    begin(spec, material, context, plan)
    context.settle(plan, text, failure)
