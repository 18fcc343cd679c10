"""The run in one number: the time it took against one after another, said as honestly as known."""

from __future__ import annotations

from typing import TypedDict

from fanout.insight.speed import Speed, alone_s, speed
from fanout.render.fan_in_words import is_late
from fanout.render.words import seconds_text, spent_text
from fanout.snapshot import Snapshot
from fanout.types import BranchState, RunStatus

_ENDED = {
    RunStatus.STOPPED: "Stopped after",
    RunStatus.INTERRUPTED: "Interrupted after",
    RunStatus.FAILED: "No answer after",
}
NO_GAIN = 1.05
"""A ratio of times below this is said in words."""


class Headline(TypedDict):
    number: str
    """ "4.2 s instead of 9.8 s", or what became of the run."""
    gain: str
    """ "2.3 times faster than one after another"; empty where nothing was gained or measured."""
    money: str
    honest: str
    """What one after another would really take, where the calls shared one machine."""


def headline(snapshot: Snapshot) -> Headline | None:
    """The headline of a run that is over; None while it is going on."""
    if not snapshot.status.finished:
        return None
    measures = speed(snapshot, snapshot.at)
    wall = f"{measures.wall_s:.1f} s"
    number, gain, several = wall, "", len(snapshot.calls) > 1
    alone = _alone_s(snapshot)
    if snapshot.status in _ENDED:
        number = f"{_ENDED[snapshot.status]} {wall}"
    elif not _compared(snapshot, measures):
        gain = f"the calls' own times add up to {measures.sequential_s:.1f} s" if several else ""
    else:
        number = f"{wall} instead of {measures.sequential_s:.1f} s"
        if measures.ratio is not None:
            by = "than one after another" if alone is None else "by the calls' own times"
            gain = f"{measures.ratio:.1f} times faster {by}"
            if measures.ratio < NO_GAIN:
                gain = f"no faster {by}"
    return Headline(
        number=number,
        gain=gain,
        money=spent_text(snapshot.goes),
        honest=""
        if alone is None
        else f"Really one after another: about {alone:.1f} s on this machine.",
    )


def remarks(snapshot: Snapshot) -> tuple[str, ...]:
    """What the number alone would hide: an answer that was there earlier, and backing off."""
    return tuple(filter(None, (_answered_text(snapshot), _backing_off_text(snapshot))))


def _answered_text(snapshot: Snapshot) -> str:
    """Where branches came after the answer, which is what the run's whole time is about."""
    made = snapshot.aggregate
    if made is None or not made.branch.state.succeeded or made.branch.finished_s is None:
        return ""
    if not any(is_late(branch, snapshot) for branch in snapshot.branches):
        return ""
    return f"the answer was there after {seconds_text(made.branch.finished_s)}"


def _backing_off_text(snapshot: Snapshot) -> str:
    """ "0.9 s of backing off in all, not in the second number"; empty where nobody backed off.

    The sum over calls that waited side by side can be longer than the run.
    """
    backed_off = sum(go.spent_s(BranchState.RETRYING, snapshot.at) for go in snapshot.goes)
    if not backed_off:
        return ""
    compared = _compared(snapshot, speed(snapshot, snapshot.at))
    beside = ", not in the second number" if compared else ""
    return f"{seconds_text(backed_off)} of backing off in all{beside}"


def _compared(snapshot: Snapshot, measures: Speed) -> bool:
    """Whether the number says what one after another would have taken."""
    return snapshot.status not in _ENDED and len(snapshot.calls) > 1 and measures.comparable


def _alone_s(snapshot: Snapshot) -> float | None:
    """The honest number where calls shared one machine; None where the headline is honest."""
    known = snapshot.made_with.endpoints if snapshot.made_with else {}
    endpoints = {call.plan.model.endpoint for call in snapshot.calls}
    shared = all(name in known and known[name].on_this_machine for name in endpoints)
    whole = snapshot.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    return alone_s(snapshot) if shared and whole else None
