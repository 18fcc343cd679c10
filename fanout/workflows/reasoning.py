"""Self-consistency: several ways of thinking about one question, their final answers counted.

Source: Wang et al. 2022, "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
arXiv 2203.11171.
"""

from __future__ import annotations

from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.types import BranchId, BranchPlan
from fanout.voting.ballot import Ballot
from fanout.voting.final_answer import final_answer
from fanout.voting.normalise import normalised
from fanout.voting.plans import Poll
from fanout.voting.rules import Rule
from fanout.workflows.combining.combine import combine_all
from fanout.workflows.definition import Reasoning
from fanout.workflows.polling import poll
from fanout.workflows.prompting import Resolve, branch_plan

MOST_WORDS = 12
"""A longer final answer is a sentence, and sentences can't be counted together."""


def plan(spec: Reasoning, topic: str, resolve: Resolve, marker: str = "") -> tuple[BranchPlan, ...]:
    """One call per approach, or as often as an approach is to be taken."""
    return tuple(branch_plan(spec, one, topic, resolve, marker=marker) for one in spec.active)


def vote(spec: Reasoning) -> Poll:
    """Any answer may be given, so the options are open."""
    return Poll(
        rule=Rule(kind=spec.vote.rule, k=spec.vote.k),
        early_stop=spec.vote.early_stop,
        weights={BranchId(one.id): one.weight for one in spec.active},
    )


def ballot(branch: Branch, weight: float = 1.0) -> Ballot:
    """The final answer of one line of thought; without one it is an abstention."""
    said = final_answer(branch.text)
    problem = ""
    if said is None:
        problem = "The answer names no final answer."
        if branch.finish_reason == "length":
            problem = "The answer reached its length limit before it named a final answer."
    elif len(said.split()) > MOST_WORDS:
        problem = "The final answer is a whole sentence, which can't be counted with others."
    if said is None or problem:
        return Ballot(voter=branch.id, choice=None, said=said or "", weight=weight, problem=problem)
    return Ballot(voter=branch.id, choice=normalised(said), said=said, weight=weight)


async def run(spec: Reasoning, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Ask along every approach, then count."""
    weights = vote(spec).weights
    await poll(
        vote(spec),
        lambda branch: ballot(branch, weights.get(branch.id, 1.0)),
        context,
        combine=lambda: combine_all(spec, topic, resolve, context),
    )
