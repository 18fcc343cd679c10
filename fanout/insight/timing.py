"""Where a run's time went: balance, overhead, speed-up and backing off, each as a practice."""

from __future__ import annotations

from fanout.insight.balance import EVEN, balance
from fanout.insight.practice import NOTHING_TO_DO, Practice, counted, seconds, unknown
from fanout.insight.speed import span_s, speed
from fanout.insight.stretches import QUEUE, Part, spent
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState, FailureKind

OVERHEAD_GOOD = 0.05
"""Share of the wall time that starting, passing on and finishing may take."""
OVERHEAD_BAD = 0.15
SMALL_S = 0.1
"""A wait below this isn't worth a word."""
SPEED_UP_GOOD = 1.5
LOST_BAD = 0.1
"""Share of the wall time that backing off may take before it is a problem."""
_QUEUES = {
    Part.SLOT: "waiting for a slot",
    Part.RATE: "held by a rate limit",
    Part.PAUSE: "while the endpoint paused",
    Part.PREFIX: "waiting for the shared beginning",
    Part.BUDGET: "waiting for the budget",
}


def balance_practice(snapshot: Snapshot, now_s: float) -> Practice:
    """The longest branch against the median."""
    found = balance(snapshot, now_s)
    if found is None or found.ratio is None:
        return unknown("balance", "Balance", "It takes two finished branches to compare.")
    ratio = found.ratio
    return Practice(
        id="balance",
        title="Balance",
        value=f"{ratio:.1f}× the median",
        reading=f"{found.title} took longest: {seconds(found.own_s)} and {found.tokens} tokens "
        f"against a median of {seconds(found.median_s)} and {found.median_tokens:.0f} tokens.",
        advice=found.advice,
        level="good" if ratio <= EVEN else "watch" if ratio <= 2 * EVEN else "bad",
        number=ratio,
    )


def overhead_practice(snapshot: Snapshot, now_s: float) -> Practice:
    """Wall time beyond the longest branch and the combining call, and the waits inside those."""
    measures = speed(snapshot, now_s)
    if not measures.wall_s or not measures.longest_s:
        return unknown("overhead", "Overhead", "No branch has begun to work.")
    chain = _chain(snapshot, now_s)
    parts = spent(chain, now_s)
    queued = sum(parts[part] for part in QUEUE)
    share, waiting = measures.overhead_s / measures.wall_s, queued / measures.wall_s
    named_waits = " and ".join(
        f"{seconds(parts[part])} {_QUEUES[part]}" for part in QUEUE if parts[part] >= SMALL_S
    )
    waits = f", and inside them {named_waits or seconds(queued) + ' of queueing'} went by"
    worst = max(share, waiting)
    return Practice(
        id="overhead",
        title="Overhead",
        value=f"{seconds(measures.overhead_s)} ({share:.0%})"
        + (f" and {seconds(queued)} queued" if queued >= SMALL_S else ""),
        reading=f"Of {seconds(measures.wall_s)}, {seconds(measures.overhead_s)} are neither the "
        f"longest branch nor the combining call{waits if queued >= SMALL_S else ''}.",
        advice=_overhead_advice(share, waiting, slot=parts[Part.SLOT] >= 0.5 * queued),
        level="good" if worst <= OVERHEAD_GOOD else "watch" if worst <= OVERHEAD_BAD else "bad",
        number=measures.overhead_s,
    )


def _overhead_advice(share: float, waiting: float, *, slot: bool) -> str:
    if max(share, waiting) <= OVERHEAD_GOOD:
        return NOTHING_TO_DO
    if waiting >= share and not slot:
        return "The endpoint's limits held it up: run fewer branches, or use two endpoints."
    if waiting >= share:
        return "Let the endpoint take more calls at once, if it can, or run fewer branches."
    return "Look at the timeline for gaps: a busy machine, or branches that were started late."


def _chain(snapshot: Snapshot, now_s: float) -> tuple[Branch, ...]:
    """The calls that the wall time follows: the longest branch and the combining call."""
    longest = max(snapshot.branches, key=lambda b: sum(span_s(go, now_s) for go in b.goes))
    return (*longest.goes, *([snapshot.aggregate.branch] if snapshot.aggregate else []))


def speed_up_practice(snapshot: Snapshot, now_s: float) -> Practice:
    """The sum of the calls' own times against the wall time."""
    measures = speed(snapshot, now_s)
    ratio = measures.ratio
    if ratio is None or len(snapshot.branches) < 2:
        return unknown("speed_up", "Speed-up", "There is nothing that could have run side by side.")
    good = ratio >= SPEED_UP_GOOD
    advice = "Little was gained: let the endpoint take more calls at once, or balance the branches."
    if not measures.comparable:
        advice = "Most of the time nobody was at work: see the rate limits and the failures."
    return Practice(
        id="speed_up",
        title="Speed-up",
        value=f"{ratio:.1f}×",
        reading=f"The calls' own times add up to {seconds(measures.sequential_s)} and the run "
        f"took {seconds(measures.wall_s)}; where calls share one machine they slow each other "
        "down, which this ratio can't tell.",
        advice=NOTHING_TO_DO if good else advice,
        level="good" if good else "watch" if ratio >= 1 else "bad",
        number=ratio,
    )


def rate_limit_practice(snapshot: Snapshot, now_s: float) -> Practice:
    """Time lost to rate limits: held before a request, and backing off after one was refused.

    What other faults cost is said beside it.
    """
    if not any(go.phases for go in snapshot.goes):
        return unknown("rate_limit", "Rate limits", "No request has been sent.")
    refused = _refused(snapshot, now_s)
    held = _held(snapshot, now_s)
    limited = [refused.get(name, 0.0) + held.get(name, 0.0) for name in refused | held]
    lost = sum(limited)
    worst = max(limited, default=0.0)
    backing_off = sum(go.spent_s(BranchState.RETRYING, now_s) for go in snapshot.goes)
    others = backing_off - sum(refused.values())
    told = [
        f"{counted(len(refused), 'call')} backed off from a rate limit" if refused else "",
        f"{counted(len(held), 'call')} {'was' if len(held) == 1 else 'were'} held for one"
        if held
        else "",
    ]
    reading = (
        f"{', '.join(filter(None, told))}, {seconds(worst)} at most."
        if lost
        else "No call met a rate limit."
    )
    if others > 0:
        reading += f" Other faults cost {seconds(others)} of backing off."
    return Practice(
        id="rate_limit",
        title="Rate limits",
        value=seconds(lost) if lost else "0 s",
        reading=reading,
        advice="Let this endpoint take fewer calls at once, or ask its provider for a higher limit."
        if lost
        else NOTHING_TO_DO,
        level="good"
        if not lost
        else "watch"
        if worst < LOST_BAD * snapshot.wall_s(now_s)
        else "bad",
        number=lost,
    )


def _refused(snapshot: Snapshot, now_s: float) -> dict[str, float]:
    """Seconds of backing off after a 429, by call."""
    found: dict[str, float] = {}
    for go in snapshot.goes:
        if (waited := go.backed_off_s(now_s, FailureKind.RATE_LIMIT)) > 0:
            found[go.id] = found.get(go.id, 0.0) + waited
    return found


def _held(snapshot: Snapshot, now_s: float) -> dict[str, float]:
    """Seconds of waiting for the rate, or for an endpoint that had asked to wait, by call."""
    found: dict[str, float] = {}
    for go in snapshot.goes:
        parts = spent((go,), now_s)
        if (waited := parts[Part.RATE] + parts[Part.PAUSE]) > 0:
            found[go.id] = found.get(go.id, 0.0) + waited
    return found
