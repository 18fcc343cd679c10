"""A run whose definition is not known: its prompts as they were sent, its topic inside them."""

from __future__ import annotations

from fanout.export.code.literals import Text
from fanout.export.code.models import aggregate_model, run_model
from fanout.export.code.recipe import Asked, Recipe
from fanout.snapshot import Snapshot
from fanout.types import BranchPlan
from fanout.workflows.combining.defaults import default_spec
from fanout.workflows.specs import AggregateKind, AggregateSpec


def as_sent(snapshot: Snapshot) -> Recipe:
    """How to do that run again, with its own topic and no other."""
    plans = [branch.plan for branch in snapshot.branches]
    systems = {m.content for plan in plans for m in plan.messages if m.role == "system"}
    one_system = len(systems) == 1 and all(
        not plan.messages or plan.messages[0].role == "system" for plan in plans
    )
    spec = _usual(snapshot)
    return Recipe(
        snapshot=snapshot,
        model=run_model(snapshot),
        branches=tuple(Asked(plan=plan, prompt=_sent(plan, one_system)) for plan in plans),
        system=(next(iter(systems)),) if one_system else (),
        aggregate=spec,
        aggregate_model=aggregate_model(snapshot, spec),
    )


def _sent(plan: BranchPlan, one_system: bool) -> Text:
    said = [m.content for m in plan.messages if not (one_system and m.role == "system")]
    return ("\n\n".join(said),) if said else ()


def _usual(snapshot: Snapshot) -> AggregateSpec | None:
    """Fanout's usual way of combining so, with the title and limits that the run had."""
    kind = _kind(snapshot.aggregate_kind)
    if kind is None:
        return None
    spec = default_spec(kind)
    if snapshot.aggregate is None:
        return spec
    plan = snapshot.aggregate.branch.plan
    limits = {"temperature": plan.temperature, "max_tokens": plan.max_tokens}
    return spec.model_copy(update={"title": plan.title, **limits})


def _kind(name: str | None) -> AggregateKind | None:
    try:
        return None if name is None else AggregateSpec.model_validate({"kind": name}).kind
    except ValueError:
        return None
