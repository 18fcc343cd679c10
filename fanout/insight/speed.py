"""What going parallel brought and what it cost, measured from one snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchState, Usage

SHORTEST_MEASURE_TOKENS = 20
"""A call with fewer tokens says little about a rate."""
MOSTLY_WAITING = 0.9
"""Below this share of the wall time, the calls' own times say nothing about going parallel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds and ratios of one run."""

    wall_s: float
    sequential_s: float
    """The sum of the calls' own times: what one after another would have taken at these speeds."""
    longest_s: float
    """The longest branch, from being queued to its end."""
    overhead_s: float
    """Wall time that neither the longest branch nor the combining calls explain."""

    @property
    def ratio(self) -> float | None:
        """How many times faster than one after another; None where nothing was measured."""
        return self.sequential_s / self.wall_s if self.wall_s > 0 and self.sequential_s else None

    @property
    def comparable(self) -> bool:
        """False where most of the time went into waiting for an endpoint's patience, which the
        calls' own times don't have in them: nobody says "7.4 s instead of 0.7 s"."""
        return self.ratio is not None and self.ratio >= MOSTLY_WAITING


def speed(snapshot: Snapshot, now_s: float) -> Speed:
    """Measures of a run as it stands at `now_s` seconds since it began."""
    wall = snapshot.wall_s(now_s)
    spans = {b.id: sum(span_s(go, now_s) for go in b.goes) for b in snapshot.branches}
    longest = max(spans.values(), default=0.0)
    late = set(snapshot.fan_in.late) if snapshot.fan_in else set()
    in_time = max((span for name, span in spans.items() if name not in late), default=0.0)
    combining = sum(_combining_s(made, now_s) for made in snapshot.aggregates)
    return Speed(
        wall_s=wall,
        sequential_s=sum(go.own_s(now_s) for go in snapshot.goes),
        longest_s=longest,
        # Branches that came too late for the answer were at work beside it.
        overhead_s=max(0.0, wall - max(in_time + combining, longest)),
    )


def _combining_s(aggregate: Aggregate, now_s: float) -> float:
    """Its own call, after the longest of those that prepared it at the same time."""
    before = max((span_s(call, now_s) for call in aggregate.before), default=0.0)
    return before + span_s(aggregate.branch, now_s)


def span_s(branch: Branch, now_s: float) -> float:
    """Seconds from being queued to its end, whatever they were spent on."""
    working = (state for state in BranchState if not state.finished)
    return sum(branch.spent_s(state, now_s) for state in working)


def alone_s(snapshot: Snapshot) -> float | None:
    """About how long one after another takes where branches share one machine's processors.

    There the calls slow each other down, so the sum of their times flatters. The combining call
    ran alone: its rates, reading and writing, in seconds per token, are what each branch would
    have had to itself. None where that call is missing or too short to measure.
    """
    combining = snapshot.aggregate.branch if snapshot.aggregate else None
    rate = writing_rate(combining) if combining else None
    if combining is None or rate is None or combining.pieces < SHORTEST_MEASURE_TOKENS:
        return None
    read = combining.usage.input - combining.usage.cached if combining.usage else 0
    if read < SHORTEST_MEASURE_TOKENS:
        return None
    reading_s = combining.spent_s(BranchState.WAITING, snapshot.at) / read
    alone = combining.own_s(snapshot.at)
    for branch in snapshot.branches:
        usage = branch.usage or Usage()
        alone += (usage.input - usage.cached) * reading_s + usage.output / rate
    return alone


def writing_rate(branch: Branch, now_s: float | None = None) -> float | None:
    """Tokens per second while writing; None before there is anything to measure.

    Of the attempt that the text is from: what others used is in the usage, but not in the text.
    """
    end = branch.finished_s if now_s is None else now_s
    if branch.first_token_s is None or end is None or branch.pieces < 2:
        return None
    seconds = attempt_writing_s(branch, end)
    alone = not branch.dropped and not branch.hedges and not branch.thought
    counted = branch.usage.output if branch.usage and alone else 0
    return (counted or branch.pieces) / seconds if seconds > 0 else None


def attempt_writing_s(branch: Branch, now_s: float) -> float:
    """Seconds for which the newest attempt that wrote anything has been writing."""
    if not branch.phases:
        return 0.0
    ends = [phase.since_s for phase in branch.phases[1:]] + [now_s]
    seconds, begun_anew = 0.0, False
    for phase, end in zip(branch.phases, ends, strict=True):
        if phase.state is BranchState.RETRYING:
            begun_anew = True
        elif phase.state is BranchState.WRITING:
            seconds = max(0.0, end - phase.since_s) + (0.0 if begun_anew else seconds)
            begun_anew = False
    return seconds


def cost_usd(goes: Iterable[Branch]) -> Decimal | None:
    """What calls cost together, in dollars; None as soon as one that was sent has no price."""
    total = Decimal(0)
    for go in goes:
        if go.cost is not None:
            total += go.cost.usd
        elif go.started_s is not None:
            return None
    return total


def total_cost_usd(snapshot: Snapshot) -> Decimal | None:
    """The run's cost in dollars; None if it is not known whole."""
    return cost_usd(snapshot.goes)


def usage(call: Branch) -> Usage:
    """Tokens of a call, every time it was asked."""
    return sum((go.usage for go in call.goes if go.usage is not None), Usage())
