"""In which way a run asked its models: the words that tell the sides of a comparison apart."""

from __future__ import annotations

from collections.abc import Iterable

from fanout.snapshot import Branch, Snapshot
from fanout.types import ModelRef
from fanout.workflows.baseline import is_single_prompt

AFTER = "One after another"


def how(snapshot: Snapshot) -> str:
    """Whether its calls went out at once, one after another, or as one prompt."""
    if is_single_prompt(snapshot.workflow):
        return "One prompt" if snapshot.kind != "research" else "One search"
    if snapshot.made_with is not None and snapshot.made_with.sequential:
        return AFTER
    return "All at once" if len(snapshot.branches) > 1 else "One call"


def model_name(model: ModelRef, snapshot: Snapshot) -> str:
    """A model and whose it is, as the run's own record names the endpoint."""
    made = snapshot.made_with
    fact = made.endpoints.get(model.endpoint) if made is not None else None
    place = fact.name if fact is not None else model.endpoint
    return f"{model.model} at {place}" if model.model else place


def models(calls: Iterable[Branch], snapshot: Snapshot) -> str:
    """The models of some of its calls, each once."""
    return ", ".join(dict.fromkeys(model_name(call.plan.model, snapshot) for call in calls))
