"""What failed in a run, and what was done about it."""

from __future__ import annotations

from collections.abc import Sequence

from fanout.insight.practice import NOTHING_TO_DO, Level, Practice, counted, named
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState, FailureKind

MOST_TOLD = 3
"""Kinds of trouble in the short value; the reading names them all."""


def failures_practice(snapshot: Snapshot) -> Practice:
    """Failed, retried, asked again, left out."""
    failed = [b for b in snapshot.calls if b.state in (BranchState.FAILED, BranchState.TIMED_OUT)]
    stopped = [b for b in snapshot.calls if b.state is BranchState.STOPPED]
    retried = [b for b in snapshot.calls if sum(max(0, go.attempts - 1) for go in b.goes)]
    again = [b for b in snapshot.calls if b.earlier]
    late = list(snapshot.late)
    left_out = [b for b in _left_out(snapshot) if b not in late]
    restarted = [b for b in snapshot.calls if any(go.dropped for go in b.goes)]
    fallen = [b for b in snapshot.calls if any(go.model is not None for go in b.goes)]
    hedged = [b for b in snapshot.calls if any(go.hedges for go in b.goes)]
    skipped = [b for b in snapshot.calls if _for_the_budget(b)]
    counts = (
        (len(failed), "failed"),
        (len(skipped), "skipped for the budget"),
        (len(stopped), "stopped"),
        (len(retried), "retried"),
        (len(fallen), "answered by a fallback"),
        (len(again), "asked again"),
        (len(left_out), "left out"),
        (len(late), "too late"),
        (len(hedged), "asked twice"),
    )
    told = [
        _sentence_part(failed, "failed"),
        _sentence_part(stopped, "stopped by hand"),
        _sentence_part(retried, "tried more than once", extra=_requests(retried)),
        _sentence_part(restarted, "broke off in mid-answer, begun anew"),
        _sentence_part(fallen, f"fell back to {_models(fallen)}"),
        _sentence_part(again, "asked again by hand"),
        _sentence_part(skipped, "skipped, as the budget was reached"),
        _sentence_part(left_out, "not part of the combined answer"),
        _sentence_part(late, "came after the answer was begun"),
        _sentence_part(
            hedged, "asked a second time as the first word was late", extra=_won(hedged)
        ),
    ]
    reading = "; ".join(filter(None, told)) or "Every call that was made went through at once"
    trouble = retried or left_out or stopped or skipped or late
    level: Level = "bad" if failed else "watch" if trouble else "good"
    return Practice(
        id="failures",
        title="Failures",
        value=_value(counts),
        reading=f"{reading}.",
        advice=_advice(failed, retried, skipped, late),
        level=level if any(b.phases for b in snapshot.calls) else "unknown",
        number=float(len(failed)),
    )


def _value(counts: Sequence[tuple[int, str]]) -> str:
    told = [f"{count} {word}" for count, word in counts if count]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f"{', '.join(told[:MOST_TOLD])}{more}" if told else "none"


def _left_out(snapshot: Snapshot) -> list[Branch]:
    made = snapshot.aggregate
    if made is None:
        return []
    needed = (b for b in snapshot.branches if b.state is not BranchState.SKIPPED)
    return [b for b in needed if b.id not in made.used and b.state.finished]


def _requests(retried: list[Branch]) -> str:
    requests = sum(go.attempts for branch in retried for go in branch.goes)
    return f" ({counted(requests, 'request')})"


def _for_the_budget(branch: Branch) -> bool:
    failure = branch.failure
    return failure is not None and failure.kind is FailureKind.BUDGET


def _models(fallen: list[Branch]) -> str:
    return named(list(dict.fromkeys(b.answered_by.model for b in fallen if b.model is not None)))


def _won(hedged: list[Branch]) -> str:
    """How often the second request was worth it; both are part of the cost."""
    hedges = [hedge for branch in hedged for go in branch.goes for hedge in go.hedges]
    won = sum(hedge.won is True for hedge in hedges)
    return f" (the second one won {won} of {len(hedges)}; both count in the cost)"


def _sentence_part(branches: list[Branch], what: str, extra: str = "") -> str:
    return f"{named([branch.title for branch in branches])}: {what}{extra}" if branches else ""


def _advice(
    failed: list[Branch], retried: list[Branch], skipped: list[Branch], late: list[Branch]
) -> str:
    if failed:
        said = next((b.failure.message for b in failed if b.failure), "It gave no reason.")
        return f"Retry {named([branch.title for branch in failed])}. {said}"
    if skipped:
        return "Raise the cap, or ask for shorter answers, then retry what was skipped."
    if late:
        return "Fold in what came later, or wait for more branches next time."
    if retried:
        return "The retries were enough; if they come back, run fewer calls at once."
    return NOTHING_TO_DO
