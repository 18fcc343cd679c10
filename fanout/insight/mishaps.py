"""What failed in a run, and what was done about it."""

from __future__ import annotations

from fanout.insight.practice import NOTHING_TO_DO, Level, Practice, counted, named
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState


def failures_practice(snapshot: Snapshot) -> Practice:
    """Failed, retried, asked again, left out."""
    failed = [b for b in snapshot.calls if b.state in (BranchState.FAILED, BranchState.TIMED_OUT)]
    stopped = [b for b in snapshot.calls if b.state is BranchState.STOPPED]
    retried = [b for b in snapshot.calls if sum(max(0, go.attempts - 1) for go in b.goes)]
    again = [b for b in snapshot.calls if b.earlier]
    left_out = _left_out(snapshot)
    counts = (
        (len(failed), "failed"),
        (len(stopped), "stopped"),
        (len(retried), "retried"),
        (len(again), "asked again"),
        (len(left_out), "left out"),
    )
    told = [
        _sentence_part(failed, "failed"),
        _sentence_part(stopped, "stopped by hand"),
        _sentence_part(retried, "tried more than once", extra=_requests(retried)),
        _sentence_part(again, "asked again by hand"),
        _sentence_part(left_out, "not part of the combined answer"),
    ]
    reading = "; ".join(filter(None, told)) or "Every call that was made went through at once"
    level: Level = "bad" if failed else "watch" if retried or left_out or stopped else "good"
    return Practice(
        id="failures",
        title="Failures",
        value=", ".join(f"{count} {word}" for count, word in counts if count) or "none",
        reading=f"{reading}.",
        advice=_advice(failed, retried),
        level=level if any(b.phases for b in snapshot.calls) else "unknown",
        number=float(len(failed)),
    )


def _left_out(snapshot: Snapshot) -> list[Branch]:
    made = snapshot.aggregate
    if made is None:
        return []
    needed = (b for b in snapshot.branches if b.state is not BranchState.SKIPPED)
    return [b for b in needed if b.id not in made.used and b.state.finished]


def _requests(retried: list[Branch]) -> str:
    requests = sum(go.attempts for branch in retried for go in branch.goes)
    return f" ({counted(requests, 'request')})"


def _sentence_part(branches: list[Branch], what: str, extra: str = "") -> str:
    return f"{named([branch.title for branch in branches])}: {what}{extra}" if branches else ""


def _advice(failed: list[Branch], retried: list[Branch]) -> str:
    if failed:
        said = next((b.failure.message for b in failed if b.failure), "It gave no reason.")
        return f"Retry {named([branch.title for branch in failed])}. {said}"
    if retried:
        return "The retries were enough; if they come back, run fewer calls at once."
    return NOTHING_TO_DO
