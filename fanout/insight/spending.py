"""What a run cost against one single call: in money where it is known, else in tokens."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from fanout.insight.practice import NOTHING_TO_DO, Practice, counted, unknown
from fanout.insight.speed import total_cost_usd
from fanout.snapshot import Branch, Snapshot

GOOD = 1.5
"""Times the number of branches that a run may cost: the combining call reads all of them."""
BAD = 2.5


def cost_practice(snapshot: Snapshot) -> Practice:
    """The whole run against its median branch."""
    done = [branch for branch in snapshot.branches if branch.state.succeeded]
    ratio, unit = _ratio(snapshot, done)
    if ratio is None:
        return unknown("cost", "Cost", "No finished branch says what one call uses.")
    each = ratio / len(snapshot.branches)
    calls = counted(len([go for go in snapshot.goes if go.started_s is not None]), "call")
    return Practice(
        id="cost",
        title="Cost",
        value=f"{ratio:.1f}× one call",
        reading=f"{calls} together used {ratio:.1f} times the {unit} of the median branch alone.",
        advice=_advice(each),
        level="good" if each <= GOOD else "watch" if each <= BAD else "bad",
        number=ratio,
    )


def _ratio(snapshot: Snapshot, done: Sequence[Branch]) -> tuple[float | None, str]:
    total = total_cost_usd(snapshot)
    costs = [branch.cost.usd for branch in done if branch.cost is not None]
    if total is not None and costs and len(costs) == len(done) and median(costs) > 0:
        return float(total / median(costs)), "money"
    used = [branch.usage.input + branch.usage.output for branch in done if branch.usage]
    whole = sum(go.usage.input + go.usage.output for go in snapshot.goes if go.usage)
    return (whole / median(used), "tokens") if used and median(used) > 0 else (None, "tokens")


def _advice(each: float) -> str:
    if each <= GOOD:
        return NOTHING_TO_DO
    return (
        "Much more than the branches themselves: ask them for shorter answers, combine with a "
        "cheaper model, or leave branches out that add little."
    )
