"""Which model a run asked, by its name at its endpoint."""

from __future__ import annotations

from collections import Counter

from fanout.snapshot import Snapshot
from fanout.workflows.specs import AggregateSpec


def run_model(snapshot: Snapshot) -> str:
    """The run's own; where it is not known, the one that most branches asked."""
    made_with = snapshot.made_with
    if made_with is not None and made_with.model.model:
        return made_with.model.model
    asked = Counter(branch.plan.model.model for branch in snapshot.branches)
    return asked.most_common(1)[0][0] if asked else ""


def aggregate_model(snapshot: Snapshot, spec: AggregateSpec | None) -> str:
    """The one that combines."""
    if snapshot.aggregate is not None:
        return snapshot.aggregate.branch.plan.model.model
    if spec is None or not spec.model:
        return run_model(snapshot)
    endpoint, _, name = spec.model.partition("/")
    known = {} if snapshot.made_with is None else snapshot.made_with.endpoints
    return name if endpoint in known else spec.model
