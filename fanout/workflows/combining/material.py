"""What a combined answer is made from, and the heading that says so honestly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from fanout.events import AggregatePlanned
from fanout.kernel.context import RunContext
from fanout.render.form_text import form_text
from fanout.retrieval.passages import Fused
from fanout.snapshot import Branch, Snapshot
from fanout.types import AGGREGATE, BranchId, BranchPlan, BranchState, Form, Message, ModelRef
from fanout.voting.plans import VotePlan
from fanout.workflows.definition import Workflow
from fanout.workflows.prompting import Resolve
from fanout.workflows.quoting import NOTICE, in_one_turn, marker_of, quoted
from fanout.workflows.specs import AggregateSpec
from fanout.workflows.templates import render

_WORDS = {
    BranchState.STOPPED: "stopped",
    BranchState.TIMED_OUT: "timed out",
    BranchState.SKIPPED: "skipped",
    BranchState.FAILED: "failed",
    BranchState.READY: "not started",
    BranchState.QUEUED: "still queued",
    BranchState.WAITING: "still waiting",
    BranchState.WRITING: "still writing",
    BranchState.RETRYING: "still retrying",
}
_NAMED = 3
"""So many of one fate are named; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The branches of a run as they stand, and how to ask about them."""

    workflow: Workflow
    topic: str
    snapshot: Snapshot
    resolve: Resolve
    id: BranchId = AGGREGATE
    left_out: Collection[BranchId] = field(default_factory=frozenset)

    @property
    def branches(self) -> tuple[Branch, ...]:
        return self.snapshot.branches

    @property
    def used(self) -> tuple[Branch, ...]:
        """The branches whose results the answer may be built on."""
        return tuple(b for b in self.branches if b.state.succeeded and b.id not in self.left_out)

    @property
    def voters(self) -> tuple[Branch, ...]:
        """All but those that were left out: who did not vote is counted too."""
        return tuple(branch for branch in self.branches if branch.id not in self.left_out)

    @property
    def used_ids(self) -> tuple[BranchId, ...]:
        return tuple(branch.id for branch in self.used)

    @property
    def marker(self) -> str:
        """What the run's quoted texts stand between."""
        return marker_of(self.snapshot.run_id)

    def filled(self, template: str, results: str, points: str = "") -> str:
        """A combining template with everything that it may use filled in."""
        given = {"topic": self.topic, "results": results, "points": points}
        return render(template, {**self.workflow.variables, **given})

    def call(
        self,
        spec: AggregateSpec,
        prompt: str,
        *,
        name: str = "",
        title: str = "",
        form: Form | None = None,
        model: ModelRef | None = None,
    ) -> BranchPlan:
        """One call of this aggregate; `name` tells the calls that prepare it from the main one."""
        return BranchPlan(
            id=BranchId(f"{self.id}-{name}") if name else self.id,
            title=title or spec.title,
            model=model or self.resolve(spec.model),
            messages=(Message(role="user", content=in_one_turn(prompt.strip())),),
            temperature=spec.temperature,
            max_tokens=spec.max_tokens,
            deadlines=self.workflow.deadlines.value(),
            form=form,
            fallback=tuple(self.resolve(n) for n in self.workflow.fallback_of(spec.fallback)),
        )


def begin(
    spec: AggregateSpec,
    material: Material,
    context: RunContext,
    plan: BranchPlan,
    *,
    made_of: str = "",
    before: tuple[BranchPlan, ...] = (),
    vote: VotePlan | None = None,
    passages: tuple[Fused, ...] = (),
) -> None:
    """Say in the run what is going to be combined; `made_of` takes the usual heading's place."""
    context.begin_aggregate(
        AggregatePlanned(
            at=context.now_s(),
            kind=spec.kind,
            heading=made_of or heading(spec, material),
            used=material.used_ids,
            plan=plan,
            before=before,
            vote=vote,
            passages=passages,
        )
    )


def results(spec: AggregateSpec, material: Material) -> str:
    """The branches' texts, each in the form that the definition gives it."""
    return "\n\n".join(_written(spec, material, b, _readable(b).strip()) for b in material.used)


def quoted_results(spec: AggregateSpec, material: Material) -> str:
    """The same for a model: each text between the run's marks, so that none can give orders."""
    marker = material.marker
    parts = (_written(spec, material, b, quoted(_readable(b), marker)) for b in material.used)
    return "\n\n".join([*parts, NOTICE])


def _written(spec: AggregateSpec, material: Material, branch: Branch, text: str) -> str:
    given = {**material.workflow.variables, "title": branch.title, "text": text}
    return render(spec.result, given)


def _readable(branch: Branch) -> str:
    """An answer in a form as a person reads it, without its marks."""
    return branch.text if branch.plan.form is None else form_text(branch.plan.form, branch.text)


def heading(spec: AggregateSpec, material: Material) -> str:
    """What the answer is made of: "Synthesis of 2 of 3: Poem failed"."""
    fates: dict[str, list[str]] = {}
    whole = 0
    for branch in material.branches:
        if branch.id in material.left_out:
            fates.setdefault("left out", []).append(branch.title)
        elif _too_late(branch, material.snapshot):
            fates.setdefault("came too late", []).append(branch.title)
        elif branch.not_needed:
            fates.setdefault("not needed", []).append(branch.title)
        elif not branch.state.succeeded:
            fates.setdefault(_WORDS.get(branch.state, "failed"), []).append(branch.title)
        elif _abstained(spec, branch):
            fates.setdefault("abstained", []).append(branch.title)
        else:
            whole += 1
    text = f"{spec.title} of {whole} of {len(material.branches)}"
    if not fates:
        return text
    return f"{text}: {', '.join(_fate(names, fate) for fate, names in fates.items())}"


def _too_late(branch: Branch, snapshot: Snapshot) -> bool:
    """Whether the answer is begun without it, by the run's own policy."""
    late = snapshot.fan_in is not None and branch.id in snapshot.fan_in.late
    return late and not branch.state.finished


def _abstained(spec: AggregateSpec, branch: Branch) -> bool:
    counts = spec.kind in ("vote", "scores", "ranking")
    return counts and branch.ballot is not None and not branch.ballot.valid


def _fate(names: list[str], fate: str) -> str:
    if len(names) > _NAMED:
        return f"{len(names)} {fate}"
    return ", ".join(f"{name} {fate}" for name in names)
