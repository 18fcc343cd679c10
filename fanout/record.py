"""A run and its events as plain JSON: the contract of the command line and of every export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TypedDict

from fanout.events import Event
from fanout.insight.practices import practices_record, provenance_record
from fanout.insight.sourcing import sourced
from fanout.insight.speed import cost_usd, speed, total_cost_usd, usage
from fanout.insight.stretches import QUEUE, spent
from fanout.insight.votes import outcome, saved, voted
from fanout.policies import Policies
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.timeline import event_name
from fanout.types import AGGREGATE, BranchState, Cost, Failure, Usage
from fanout.vote_record import ballot_record, fused_record, hit_record, outcome_record

Json = dict[str, object]

_SPENT = {
    "queued": BranchState.QUEUED,
    "waiting": BranchState.WAITING,
    "writing": BranchState.WRITING,
    "backing_off": BranchState.RETRYING,
}


_NOT_OF_AGGREGATES = ("title", "ballot", "queries", "found")


class UsageRecord(TypedDict):
    input: int
    output: int
    cached: int


def run_record(snapshot: Snapshot, now_s: float) -> Json:
    """The whole run as one object. Times are seconds since the run began, money is US dollars."""
    measures = speed(snapshot, now_s)
    # Each with its provenance, which takes tens of milliseconds: so once.
    made = {one.id: aggregate_record(one, snapshot, now_s) for one in snapshot.aggregates}
    return {
        "run_id": snapshot.run_id,
        "workflow": snapshot.workflow,
        "topic": snapshot.topic,
        "status": snapshot.status.value,
        "wall_s": _seconds(measures.wall_s),
        "sequential_s": _seconds(measures.sequential_s),
        "cost_usd": _money(total_cost_usd(snapshot)),
        "branches": [branch_record(branch, now_s) for branch in snapshot.branches],
        "aggregate": made.get(AGGREGATE),
        "aggregates": list(made.values()),
        "late": [branch.id for branch in snapshot.late],
        "policies": _policies(snapshot.policies),
        "practices": practices_record(snapshot, now_s),
    }


def _policies(chosen: Policies | None) -> Json | None:
    """How it was to behave under fire; None in runs of earlier versions."""
    if chosen is None:
        return None
    return asdict(chosen, dict_factory=lambda pairs: {key: _plain(v) for key, v in pairs})


def branch_record(branch: Branch, now_s: float) -> Json:
    return {
        "id": branch.id,
        "title": branch.title,
        "status": branch.state.value,
        "text": branch.shown_text,
        "queued_s": _seconds(branch.queued_s),
        "first_token_s": _seconds(branch.first_token_s),
        "finished_s": _seconds(branch.finished_s),
        "attempts": sum(go.attempts for go in branch.goes),
        "usage": usage_record(usage(branch)),
        "cost_usd": _money(cost_usd(branch.goes)),
        "failure": failure_record(branch.failure),
        "model": branch.plan.model.model,
        "endpoint": branch.plan.model.endpoint,
        "finish_reason": branch.finish_reason,
        "estimated": branch.usage.estimated if branch.usage else False,
        "price": _price(branch.cost),
        "spent_s": {
            name: _seconds(sum(go.spent_s(state, now_s) for go in branch.goes))
            for name, state in _SPENT.items()
        },
        "answered_by": {
            "endpoint": branch.answered_by.endpoint,
            "name": branch.answered_by.model,
        },
        "held": _held(branch.goes, now_s),
        "hedges": sum(len(go.hedges) for go in branch.goes),
        "setbacks": [setback.kind.value for go in branch.goes for setback in go.setbacks],
        "ballot": ballot_record(branch),
        "queries": list(branch.queries) or None,
        "found": [hit_record(hit) for hit in branch.hits] or None,
    }


def aggregate_record(aggregate: Aggregate, snapshot: Snapshot, now_s: float) -> Json:
    """One combined answer; "votes", "agreement" and "ballots" only where it was voted on."""
    of_branch = branch_record(aggregate.branch, now_s)
    record = {
        "kind": aggregate.kind,
        "heading": aggregate.shown.heading,
        "used": list(aggregate.shown.used),
        **{key: value for key, value in of_branch.items() if key not in _NOT_OF_AGGREGATES},
        "id": aggregate.id,
        "text": aggregate.shown.text,
        "from_before": aggregate.shown is not aggregate,
        "before": [branch_record(call, now_s) for call in aggregate.before],
    }
    vote = voted(aggregate, snapshot)
    if vote is not None:
        plan, voters = vote
        called_off = saved(snapshot) if aggregate.vote is None else None
        record |= outcome_record(outcome(plan, voters), called_off)
        record["ballots"] = _ballots(voters)
    if aggregate.passages:
        record["passages"] = [fused_record(one) for one in aggregate.passages]
    found = sourced(aggregate, snapshot)
    if found is not None:
        record["provenance"] = provenance_record(found)
    return record


def _ballots(voters: tuple[Branch, ...]) -> list[Json]:
    return [{"voter": branch.id, **(ballot_record(branch) or {})} for branch in voters]


def usage_record(tokens: Usage) -> UsageRecord:
    return {"input": tokens.input, "output": tokens.output, "cached": tokens.cached}


def failure_record(failure: Failure | None) -> Json | None:
    return None if failure is None else {"kind": failure.kind.value, "message": failure.message}


def event_record(event: Event) -> Json:
    """One event as one flat object; "event" names its kind, "at" its second."""
    fields = asdict(event, dict_factory=lambda pairs: {key: _plain(v) for key, v in pairs})
    return {"event": event_name(type(event)), **fields}


def _held(goes: Sequence[Branch], now_s: float) -> dict[str, float]:
    """Seconds in the queue by what it waited for: "slot", "rate", "pause", "prefix", "budget"."""
    parts = spent(goes, now_s)
    return {part.value: round(parts[part], 4) for part in QUEUE if parts[part] > 0}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return _money(value)
    if isinstance(value, float):
        return round(value, 6)
    return value


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _money(value: Decimal | None) -> float | None:
    return None if value is None else float(round(value, 9))


def _price(cost: Cost | None) -> Json | None:
    if cost is None:
        return None
    price = cost.price
    return {
        "input_usd_per_mtok": _money(price.input),
        "cached_usd_per_mtok": _money(price.cached),
        "output_usd_per_mtok": _money(price.output),
        "source": price.source,
    }
