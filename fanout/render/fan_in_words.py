"""Which branches an answer waits for, which came too late for it, and how a run says so."""

from __future__ import annotations

from fanout.policies import FanIn
from fanout.render.policy_words import span_words
from fanout.snapshot import Branch, Snapshot


def is_late(branch: Branch, snapshot: Snapshot) -> bool:
    """Whether the run's own answer was begun without it, because it came too late."""
    if snapshot.fan_in is None or branch.id not in snapshot.fan_in.late:
        return False
    made = snapshot.aggregate
    return made is None or branch.id not in made.shown.used


def late_text(branch: Branch, snapshot: Snapshot) -> str:
    """What is said beside a branch that the answer did not wait for; else empty."""
    if not is_late(branch, snapshot):
        return ""
    if branch.state.succeeded:
        return "Not in this answer: it came after the answer was begun."
    if branch.state.finished:
        return ""
    return "Too late for the combined answer, which is made without it. What it writes is kept."


def fan_in_text(fan_in: FanIn, branches: int) -> str:
    """ "as soon as 2 of 3 are done, or after 30 s"; empty where it waits for all."""
    when = []
    if fan_in.k is not None and fan_in.k < branches:
        when.append(f"as soon as {fan_in.k} of {branches} are done")
    if fan_in.deadline_s is not None:
        when.append(f"after {span_words(fan_in.deadline_s)}")
    return ", or ".join(when)


def plan_text(snapshot: Snapshot) -> str:
    """How the run combines and when it ends at the latest, as a line of its own; empty where it
    just waits for all."""
    if snapshot.policies is None:
        return ""
    parts = [_combining(snapshot), _deadline(snapshot)]
    return " · ".join(filter(None, parts))


def _combining(snapshot: Snapshot) -> str:
    assert snapshot.policies is not None
    fan_in, count = snapshot.policies.fan_in, len(snapshot.branches)
    when = fan_in_text(fan_in, count)
    if not when or snapshot.aggregate_kind is None:
        return ""
    reached = snapshot.fan_in
    if reached is None:
        if not snapshot.status.finished:
            return f"Combines {when}"
        return "Combined when all had ended" if snapshot.aggregate else ""
    if reached.by == "deadline" and fan_in.deadline_s is not None:
        return f"Combined what was there after {span_words(fan_in.deadline_s)}"
    return f"Combined when {fan_in.k or count - len(reached.late)} of {count} were done"


def _deadline(snapshot: Snapshot) -> str:
    """Once it is over; until then the board counts down."""
    assert snapshot.policies is not None
    run_s = snapshot.policies.run_s
    return f"at most {span_words(run_s)}" if run_s and snapshot.status.finished else ""
