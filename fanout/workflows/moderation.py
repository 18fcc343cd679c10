"""Moderation by consensus: several moderators judge one content, a rule makes the verdict."""

from __future__ import annotations

from fanout.kernel.context import RunContext
from fanout.snapshot import Branch
from fanout.structured.reading import read
from fanout.types import BranchId, BranchPlan, Form
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Poll
from fanout.voting.rules import Rule
from fanout.workflows.combining.combine import combine_all
from fanout.workflows.definition import Moderation
from fanout.workflows.polling import poll
from fanout.workflows.prompting import Resolve, branch_plan

VERDICTS = ("allow", "flag", "block")
"""From the mildest to the strictest."""


def form(spec: Moderation) -> Form:
    """The reason stands before the verdict, so that the model argues before it decides."""
    return Form(
        name="moderation_vote",
        needed=("verdict",),
        schema={
            "type": "object",
            "properties": {
                "reason": {"type": "string", "maxLength": 240},
                "category": {"type": "string", "enum": list(spec.categories)},
                "severity": {"type": "integer", "minimum": 0, "maximum": 4},
                "verdict": {"type": "string", "enum": list(VERDICTS)},
            },
            "required": ["reason", "category", "severity", "verdict"],
        },
    )


def plan(
    spec: Moderation, topic: str, resolve: Resolve, marker: str = ""
) -> tuple[BranchPlan, ...]:
    """One call per moderator."""
    shape = form(spec)
    return tuple(
        branch_plan(spec, one, topic, resolve, marker=marker, form=shape) for one in spec.active
    )


def vote(spec: Moderation) -> Poll:
    """How the moderators' verdicts will be counted."""
    return Poll(
        rule=Rule(
            kind=spec.vote.rule, k=spec.vote.k, options=VERDICTS, safe="allow", strict="block"
        ),
        early_stop=spec.vote.early_stop,
        weights={BranchId(one.id): one.weight for one in spec.active},
    )


def ballot(spec: Moderation, branch: Branch) -> Ballot:
    """One moderator's answer as a vote; anything without a clear verdict is an abstention."""
    reading = read(form(spec).lenient, branch.text)
    weight = {one.id: one.weight for one in spec.active}.get(branch.id, 1.0)
    if reading.value is None:
        bare = branch.text.strip().strip("\"'*_`.!").lower()
        choice = bare if bare in VERDICTS else None
        problem = "" if choice else reading.problem or "The answer holds no verdict."
        return Ballot(
            voter=branch.id, choice=choice, said=bare[:200], weight=weight, problem=problem
        )
    value = reading.value
    severity = value.get("severity")
    return Ballot(
        voter=branch.id,
        choice=str(value["verdict"]),
        said=str(value["verdict"]),
        reason=str(value.get("reason") or ""),
        weight=weight,
        category=str(value.get("category") or ""),
        severity=int(severity) if isinstance(severity, int | float) else None,
    )


async def run(spec: Moderation, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Ask all moderators, then count."""
    await poll(
        vote(spec),
        lambda branch: ballot(spec, branch),
        context,
        combine=lambda: combine_all(spec, topic, resolve, context),
    )
