"""A column's face: its state in words, what to say where text is missing, its running clocks."""

from __future__ import annotations

from typing import Literal, TypedDict

from fanout.insight.speed import span_s
from fanout.render.sanitise import clean_text
from fanout.render.words import (
    branch_word,
    end_sentence,
    first_token_wait_s,
    kind_word,
    metrics,
    not_needed,
    run_sentence,
    run_word,
)
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState

Clock = tuple[float, float | None]
"""Seconds so far, and the second of the run since which they go on counting; None: they stand."""

_ACTIVE = (BranchState.WAITING, BranchState.WRITING)


class Countdown(TypedDict):
    """A wait before the next attempt."""

    at: float
    """Second of the run at which it may start."""
    next: int
    of: int


class Preparation(TypedDict):
    """A call that prepared a combined answer, in one line."""

    title: str
    state: str
    word: str
    clock: Clock
    bad: bool


class Face(TypedDict):
    title: str
    label: str
    """The region's accessible name; empty where that is the title."""
    state: str
    tone: Literal["", "vote", "abstained", "idle"]
    """How the chip looks where the state alone doesn't say: what it voted, or that it needn't."""
    word: str
    """What the state's chip says; the reader's side adds rates and countdowns."""
    hold: str
    """Stands where the text will be, as long as there is none."""
    note: str
    """Stands beside the text: why it failed and what to do, or that it is cut short."""
    bad: bool
    """The note tells of a failure."""
    can: Literal["", "stop", "retry"]
    said: str
    """What is announced when this state is reached."""
    clock: Clock
    pace: Clock
    """Seconds of writing, under the tokens for a rate."""
    off: Clock
    """Seconds of backing off."""
    first: float | None
    retry: Countdown | None
    foot: list[str] | None
    """The final numbers; None while they are still moving."""
    before: list[Preparation]


class RunFace(TypedDict):
    status: str
    word: str
    said: str
    live: bool
    done: int
    of: int
    idle: int
    """How many were not needed."""
    clock: Clock


def run_face(snapshot: Snapshot) -> RunFace:
    live = not snapshot.status.finished
    wall = 0.0 if live else snapshot.wall_s(snapshot.at)
    return RunFace(
        status=snapshot.status,
        word=run_word(snapshot.status),
        said=run_sentence(snapshot),
        live=live,
        done=sum(branch.state.succeeded for branch in snapshot.branches),
        of=len(snapshot.branches),
        idle=sum(not_needed(branch) for branch in snapshot.branches),
        clock=(round(wall, 3), round(snapshot.idle_s, 3) if live else None),
    )


def branch_face(branch: Branch, snapshot: Snapshot) -> Face:
    """The face of one branch; the snapshot around it knows who holds slots and who may retry."""
    state = branch.state
    finished = state.finished
    counting = bool(branch.phases) and not finished
    since = branch.phases[-1].since_s if branch.phases else 0.0
    retry = branch.retry
    note, bad = _note(branch)
    return Face(
        title=clean_text(branch.title),
        label="",
        state=state,
        tone=_tone(branch),
        word=clean_text(kind_word(retry.failure.kind) if retry else branch_word(branch)),
        hold=clean_text(_hold(branch, snapshot)),
        note=clean_text(note),
        bad=bad,
        can=_can(branch, snapshot),
        said=clean_text(end_sentence(branch)),
        clock=(round(span_s(branch, since), 3), round(since, 3) if counting else None),
        pace=_clock(branch, BranchState.WRITING, since),
        off=_clock(branch, BranchState.RETRYING, since),
        first=_rounded(first_token_wait_s(branch)),
        retry=Countdown(at=round(retry.at_s, 3), next=retry.next_attempt, of=retry.attempts_allowed)
        if retry
        else None,
        foot=list(metrics(branch, snapshot.at)) if finished else None,
        before=[],
    )


def preparation(branch: Branch) -> Preparation:
    """One line about a judge, or about the call that proposed the points."""
    since = branch.phases[-1].since_s if branch.phases else 0.0
    counting = bool(branch.phases) and not branch.state.finished
    return Preparation(
        title=clean_text(branch.title),
        state=branch.state,
        word=clean_text(branch_word(branch)),
        clock=(round(span_s(branch, since), 3), round(since, 3) if counting else None),
        bad=branch.state in (BranchState.FAILED, BranchState.TIMED_OUT),
    )


def _tone(branch: Branch) -> Literal["", "vote", "abstained", "idle"]:
    if branch.ballot is not None and branch.state.succeeded:
        return "vote" if branch.ballot.valid else "abstained"
    return "idle" if not_needed(branch) else ""


def _hold(branch: Branch, snapshot: Snapshot) -> str:
    match branch.state:
        case BranchState.QUEUED:
            return _queue_sentence(branch, snapshot)
        case BranchState.WAITING:
            return "Request sent, waiting for the first word."
        case BranchState.RETRYING if branch.retry is not None:
            return f"{branch.retry.failure.message} Nothing is lost: the other branches go on."
        case BranchState.STOPPED if branch.failure is None:
            return "Stopped before the first word."
        case BranchState.SKIPPED if branch.failure is None:
            return "Not needed: the outcome was decided without it."
        case _:
            return ""


def _queue_sentence(branch: Branch, snapshot: Snapshot) -> str:
    endpoint = branch.plan.model.endpoint
    busy = sum(
        other.state in _ACTIVE and other.plan.model.endpoint == endpoint for other in snapshot.calls
    )
    if not busy:
        return "Waiting for a free slot."
    others = "another branch is" if busy == 1 else f"{busy} other branches are"
    return f"Waiting for a free slot: {others} being answered by this endpoint."


def _note(branch: Branch) -> tuple[str, bool]:
    earlier = branch.shown is not branch
    if branch.failure is not None and branch.state.finished:
        kept = " The text from before is shown." if earlier else ""
        bad = branch.state not in (BranchState.SKIPPED, BranchState.STOPPED)
        return f"{branch.failure.message}{kept}", bad
    if earlier:
        return "Asked again. The text from before stays until the new one is done.", False
    if branch.ballot is not None and branch.state.succeeded and branch.ballot.problem:
        return branch.ballot.problem, False
    if not_needed(branch) and branch.text:
        return "The outcome was decided without it. The text so far is kept.", False
    if branch.finish_reason == "length":
        return "Reached its length limit.", False
    if branch.state is BranchState.STOPPED and branch.text:
        return "Stopped. The text so far is kept.", False
    return "", False


def _can(branch: Branch, snapshot: Snapshot) -> Literal["", "stop", "retry"]:
    if not branch.state.finished:
        return "" if snapshot.status.finished else "stop"
    return "retry" if snapshot.status.finished and not branch.state.succeeded else ""


def _clock(branch: Branch, state: BranchState, since: float) -> Clock:
    running = branch.state is state and not state.finished
    return round(branch.spent_s(state, since), 3), round(since, 3) if running else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
