"""What holds a call up, and what was done about it: in the same words wherever a run is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from fanout.insight.stretches import Part
from fanout.policies import HoldReason
from fanout.snapshot import Branch, Hedge, Retry, Snapshot
from fanout.types import BranchState, EndpointId, Failure, FailureKind, Via

LONGEST_MODEL = 24
"""Characters of a model's name inside a chip or a mark."""

PART_WORDS = {
    Part.SLOT: "waiting for a slot",
    Part.RATE: "held by a rate limit",
    Part.PAUSE: "held by the endpoint's pause",
    Part.PREFIX: "waiting for the shared beginning",
    Part.BUDGET: "waiting for what others leave of the budget",
    Part.WAITING: "waiting for the first token",
    Part.WRITING: "writing",
    Part.BACKING_OFF: "backing off",
}
"""Each part of a call's time, as a legend says it."""

PART_HEADS = {
    Part.SLOT: "Queued s",
    Part.RATE: "Rate limit s",
    Part.PAUSE: "Paused s",
    Part.PREFIX: "Shared beginning s",
    Part.BUDGET: "Budget s",
    Part.WAITING: "Waiting s",
    Part.WRITING: "Writing s",
    Part.BACKING_OFF: "Backing off s",
}
"""The same as the head of a table's column."""
ALWAYS_TOLD = (Part.SLOT, Part.WAITING, Part.WRITING, Part.BACKING_OFF)
"""These columns stand in every table; the others where there is something to tell."""

_ADVICE = re.compile(r"""(?<=[.!?"]) (?:Check|If|Retry|Run|Start|Try)\b[^"]*$""")
"""What a failure asks its reader to do, behind what happened and what the endpoint said."""

_AT_WORK = (BranchState.WAITING, BranchState.WRITING)


class Mark(NamedTuple):
    """What is said of a column in a small line of its own."""

    kind: Literal["fallback", "restart", "hedge"]
    text: str


def left_text(seconds: float) -> str:
    """What is left of a wait: "2.0 s", "12 s", "1 min 5 s"; calmer the longer it is."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"


def short_model(name: str) -> str:
    """A model's name without the path in front of it: "big-7b" of "lab/big-7b"."""
    last = name.rstrip("/").rsplit("/", 1)[-1] or name
    return last if len(last) <= LONGEST_MODEL else f"{last[: LONGEST_MODEL - 1]}…"


def endpoint_word(endpoint: EndpointId, snapshot: Snapshot) -> str:
    """An endpoint's name; "the endpoint" in runs that don't know it."""
    known = snapshot.made_with.endpoints if snapshot.made_with else {}
    return known[endpoint].name if endpoint in known else "the endpoint"


def retry_text(word: str, retry: Retry, now_s: float) -> str:
    """ "Rate limited: retrying in 2.0 s (2 of 4)", "Server error: falling back to small in 0.5 s".

    The browser counts down in these very words: components/board/countdown.js.
    """
    left = retry.at_s - now_s
    when = f"in {left_text(left)}" if left > 0.05 else "now"
    if retry.next_model is not None:
        return f"{word}: falling back to {short_model(retry.next_model.model)} {when}"
    return f"{word}: retrying {when} ({retry.next_attempt} of {retry.attempts_allowed})"


def retrying_words(retry: Retry, *, anew: bool) -> str:
    """What happened and what is done about it, without advice: nothing is left to the reader."""
    if retry.next_model is not None:
        what = f"Nothing is lost: {short_model(retry.next_model.model)} is asked instead."
    else:
        what = "It is begun anew." if anew else "Nothing is lost: it is asked again by itself."
    return f"{what_happened(retry.failure)} {what}"


def what_happened(failure: Failure) -> str:
    return _ADVICE.sub("", failure.message)


def hold_text(branch: Branch, snapshot: Snapshot, now_s: float) -> str:
    """The whole sentence on a queued branch, its countdown as of now."""
    hold, words = branch.hold, hold_words(branch, snapshot)
    if hold is not None and hold.reason is HoldReason.SLOT:
        return f"{words}: {_others(busy_calls(snapshot).get(branch.answered_by.endpoint, 0))}."
    if hold is None or hold.until_s is None:
        return f"{words}."
    left = hold.until_s - now_s
    return f"{words}: goes on {f'in {left_text(left)}' if left > 0.05 else 'any moment'}."


def hold_words(branch: Branch, snapshot: Snapshot) -> str:
    """Why a queued branch can't start, without what changes by itself and without a full stop."""
    hold = branch.hold
    where = endpoint_word(branch.answered_by.endpoint, snapshot)
    match hold.reason if hold is not None else HoldReason.SLOT:
        case HoldReason.SLOT:
            return "Waiting for a free slot"
        case HoldReason.RATE:
            return f"Rate limit of {where} reached"
        case HoldReason.PAUSE:
            return f"{where[:1].upper()}{where[1:]} asked everybody to wait"
        case HoldReason.PREFIX:
            opener = _opener(branch, snapshot)
            if opener is None:
                return "What all begin with is read once, then they start together"
            return f"{opener.title} opens the way: both begin with the same text"
        case HoldReason.BUDGET:
            return "The rest of the budget is set aside for calls under way; what they leave may do"


def busy_calls(snapshot: Snapshot) -> dict[str, int]:
    """How many calls of this run each endpoint is answering now."""
    busy: dict[str, int] = {}
    for call in snapshot.calls:
        if call.state in _AT_WORK:
            endpoint = call.answered_by.endpoint
            busy[endpoint] = busy.get(endpoint, 0) + 1
    return busy


def _others(busy: int) -> str:
    if not busy:
        return "other runs have them all"
    return f"{'another one is' if busy == 1 else f'{busy} others are'} being answered"


def _opener(branch: Branch, snapshot: Snapshot) -> Branch | None:
    """Who goes ahead: the first of that model's branches that doesn't wait for another one."""
    ahead = [
        other
        for other in snapshot.branches
        if other is not branch
        and other.answered_by == branch.answered_by
        and not other.state.finished
        and (other.hold is None or other.hold.reason is not HoldReason.PREFIX)
    ]
    return next((one for one in ahead if one.state in _AT_WORK), ahead[0] if ahead else None)


def thinking(branch: Branch) -> bool:
    """Whether it thinks now, before its first word."""
    return branch.state is BranchState.WAITING and branch.thought > 0


def at_provider(branch: Branch, snapshot: Snapshot) -> bool:
    """Whether its request is with the provider's Batch API, where there is nothing to watch."""
    made = snapshot.made_with
    row = made.row if made is not None else None
    return branch.state is BranchState.WAITING and row is not None and row.via is Via.PROVIDER


def thinking_text(pieces: int) -> str:
    return f"Thinking ({pieces:,} token{'' if pieces == 1 else 's'} so far)"


def hedge_text(hedge: Hedge) -> str:
    """What a second request came to."""
    if not hedge.settled:
        return f"Second request sent after {left_text(hedge.late_s)}: first word was late"
    if hedge.won is None:
        return "A second request was sent, and neither answered"
    return "The second request answered first" if hedge.won else "The first one answered first"


def fallback_text(branch: Branch) -> str:
    """Who answers where that isn't who was asked at first; empty where it is."""
    if branch.model is None:
        return ""
    own, other = short_model(branch.plan.model.model), short_model(branch.model.model)
    if branch.state in _AT_WORK or branch.state.succeeded:
        return f"Answered by {other} (fallback: {own} failed)"
    return f"Fell back to {other}: {own} failed"


def restart_text(branch: Branch, snapshot: Snapshot) -> str:
    """ "Broke off in mid-answer, begun anew (2 of 4)"; empty where no text was dropped."""
    if not branch.dropped:
        return ""
    attempt = broke_off(branch) + 1
    of = f" of {branch.attempts_allowed}" if branch.attempts_allowed >= attempt else ""
    return f"Broke off in mid-answer, begun anew ({attempt}{of})"


def broke_off(branch: Branch) -> int:
    """The number of the attempt that broke off last; 0 for none."""
    number = broken = 0
    wrote = False
    for phase in branch.phases:
        if phase.state is BranchState.WAITING:
            number, wrote = number + 1, False
        elif phase.state is BranchState.WRITING:
            wrote = True
        elif phase.state is BranchState.RETRYING and wrote:
            broken = number
    return broken


def marks(branch: Branch, snapshot: Snapshot) -> Iterator[Mark]:
    """Everything unusual about how a column came to be, as it stands."""
    if fallback := fallback_text(branch):
        yield Mark("fallback", fallback)
    if restart := restart_text(branch, snapshot):
        yield Mark("restart", restart)
    # A hedge that nobody won is told by the failure of the attempt it belonged to.
    hedges = [hedge for hedge in branch.hedges if not hedge.settled or hedge.won is not None]
    if hedges:
        yield Mark("hedge", hedge_text(hedges[-1]))


def budget_skipped(branch: Branch) -> bool:
    """True where its call didn't fit the budget any more."""
    failure = branch.failure
    return (
        branch.state is BranchState.SKIPPED
        and failure is not None
        and failure.kind is FailureKind.BUDGET
    )
