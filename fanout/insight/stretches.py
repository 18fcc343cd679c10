"""A call's time in stretches: what it waited for, when its model worked, when it backed off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from fanout.policies import HoldReason
from fanout.snapshot import Branch
from fanout.types import BranchState


class Part(StrEnum):
    """What a stretch of time was spent on. The first five are the queue, told apart by reason."""

    SLOT = "slot"
    """Also where nobody said why, as in runs of earlier versions."""
    RATE = "rate"
    PAUSE = "pause"
    PREFIX = "prefix"
    BUDGET = "budget"
    WAITING = "waiting"
    WRITING = "writing"
    BACKING_OFF = "backing_off"


QUEUE = (Part.SLOT, Part.RATE, Part.PAUSE, Part.PREFIX, Part.BUDGET)

_STATES = {
    BranchState.WAITING: Part.WAITING,
    BranchState.WRITING: Part.WRITING,
    BranchState.RETRYING: Part.BACKING_OFF,
}
_REASONS = {
    HoldReason.SLOT: Part.SLOT,
    HoldReason.RATE: Part.RATE,
    HoldReason.PAUSE: Part.PAUSE,
    HoldReason.PREFIX: Part.PREFIX,
    HoldReason.BUDGET: Part.BUDGET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    part: Part
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def stretches(go: Branch, end_s: float) -> Iterator[Stretch]:
    """One go's time up to `end_s`, in order and without gaps; nothing that took no time."""
    ends = [*(phase.since_s for phase in go.phases[1:]), end_s]
    for phase, end in zip(go.phases, ends, strict=False):
        if phase.state is BranchState.QUEUED:
            parts = list(_queue(go, phase.since_s, end))
        elif phase.state in _STATES:
            parts = [(_STATES[phase.state], phase.since_s, end)]
        else:
            continue
        for part, start, stop in parts:
            if stop > start:
                yield Stretch(part=part, start_s=start, end_s=stop)


def spent(goes: Iterable[Branch], end_s: float) -> dict[Part, float]:
    """Seconds of each part over several goes; every part is there."""
    total = dict.fromkeys(Part, 0.0)
    for go in goes:
        for stretch in stretches(go, end_s):
            total[stretch.part] += stretch.length_s
    return total


def _queue(go: Branch, start_s: float, end_s: float) -> Iterator[tuple[Part, float, float]]:
    held = [hold for hold in go.holds if start_s <= hold.since_s < end_s]
    turns = [(Part.SLOT, start_s), *((_REASONS[hold.reason], hold.since_s) for hold in held)]
    for (part, start), (_, stop) in pairwise([*turns, (Part.SLOT, end_s)]):
        yield part, start, stop
