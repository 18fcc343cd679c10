"""A column's face: its state in words, what to say where text is missing, its running clocks."""

from __future__ import annotations

from fanout.insight.speed import attempt_writing_s, span_s
from fanout.policies import HoldReason
from fanout.render.faces import Act, Clock, Countdown, Face, Preparation, RunFace, Tone
from fanout.render.fan_in_words import is_late, late_text, plan_text
from fanout.render.live_words import (
    at_provider,
    broke_off,
    busy_calls,
    hold_words,
    marks,
    retrying_words,
    short_model,
    thinking,
)
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


def run_face(snapshot: Snapshot) -> RunFace:
    live = not snapshot.status.finished
    wall = 0.0 if live else snapshot.wall_s(snapshot.at)
    face = RunFace(
        status=snapshot.status,
        word=run_word(snapshot.status),
        said=run_sentence(snapshot),
        live=live,
        done=sum(branch.state.succeeded for branch in snapshot.branches),
        of=len(snapshot.branches),
        idle=sum(not_needed(branch) for branch in snapshot.branches),
        clock=(round(wall, 3), round(snapshot.idle_s, 3) if live else None),
    )
    if plan := plan_text(snapshot):
        face["plan"] = clean_text(plan)
    run_s = snapshot.policies.run_s if snapshot.policies else None
    if live and run_s and not snapshot.idle_s:
        face["until"] = run_s
    if any(call.state is BranchState.QUEUED for call in snapshot.calls):
        face["busy"] = busy_calls(snapshot)
    return face


def branch_face(branch: Branch, snapshot: Snapshot) -> Face:
    """The face of one branch; the snapshot around it knows policies and who may retry."""
    state = branch.state
    finished = state.finished
    counting = bool(branch.phases) and not finished
    since = branch.phases[-1].since_s if branch.phases else 0.0
    retry = branch.retry
    note, bad = _note(branch, snapshot)
    face = Face(
        title=clean_text(branch.title),
        label="",
        state=state,
        tone=_tone(branch),
        word=clean_text(kind_word(retry.failure.kind) if retry else _word(branch, snapshot)),
        hold=clean_text(_hold(branch, snapshot)),
        note=clean_text(note),
        bad=bad,
        can=_can(branch, snapshot),
        said=clean_text(end_sentence(branch)),
        clock=(round(span_s(branch, since), 3), round(since, 3) if counting else None),
        pace=_pace(branch, since),
        off=_clock(branch, BranchState.RETRYING, since),
        first=_rounded(first_token_wait_s(branch)),
        retry=_countdown(branch),
        foot=list(metrics(branch, snapshot.at)) if finished else None,
        before=[],
    )
    _add_wait(face, branch)
    told: list[tuple[str, str]] = [
        (kind, clean_text(text)) for kind, text in marks(branch, snapshot)
    ]
    if told:
        face["marks"] = told
    return face


def _word(branch: Branch, snapshot: Snapshot) -> str:
    if at_provider(branch, snapshot):
        return "At the provider"
    late = branch.state.succeeded and is_late(branch, snapshot)
    return f"{branch_word(branch)}, late" if late else branch_word(branch)


def _add_wait(face: Face, branch: Branch) -> None:
    """What the reader's side needs to end the sentence on a queued branch by itself."""
    hold = branch.hold
    if hold is None:
        return
    if hold.reason is HoldReason.SLOT:
        face["slot"] = branch.answered_by.endpoint
    elif hold.until_s is not None:
        face["until"] = round(hold.until_s, 3)


def _countdown(branch: Branch) -> Countdown | None:
    retry = branch.retry
    if retry is None:
        return None
    count = Countdown(at=round(retry.at_s, 3), next=retry.next_attempt, of=retry.attempts_allowed)
    if retry.next_model is not None:
        count["to"] = clean_text(short_model(retry.next_model.model))
    return count


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


def _tone(branch: Branch) -> Tone:
    if branch.ballot is not None and branch.state.succeeded:
        return "vote" if branch.ballot.valid else "abstained"
    if thinking(branch):
        return "thinking"
    return "idle" if not_needed(branch) else ""


def _hold(branch: Branch, snapshot: Snapshot) -> str:
    match branch.state:
        case BranchState.QUEUED:
            return _queue_words(branch, snapshot)
        case BranchState.WAITING if thinking(branch):
            return "Thinking"
        case BranchState.WAITING if at_provider(branch, snapshot):
            return "Asked through the provider's Batch API: the whole answer comes within a day."
        case BranchState.WAITING:
            return "Request sent, waiting for the first word."
        case BranchState.RETRYING if branch.retry is not None:
            anew = bool(branch.dropped) and broke_off(branch) == branch.attempts
            return retrying_words(branch.retry, anew=anew)
        case BranchState.STOPPED if branch.failure is None:
            return "Stopped before the first word."
        case BranchState.SKIPPED if branch.failure is None:
            return "Not needed: the outcome was decided without it."
        case _:
            return ""


def _queue_words(branch: Branch, snapshot: Snapshot) -> str:
    hold, words = branch.hold, hold_words(branch, snapshot)
    if hold is not None and (hold.reason is HoldReason.SLOT or hold.until_s is not None):
        return words
    return f"{words}."


def _note(branch: Branch, snapshot: Snapshot) -> tuple[str, bool]:
    earlier = branch.shown is not branch
    if branch.failure is not None and branch.state.finished:
        kept = " The text from before is shown." if earlier else ""
        if branch.dropped and branch.text == branch.dropped:
            kept = " What it had written before it broke off is shown."
        bad = branch.state not in (BranchState.SKIPPED, BranchState.STOPPED)
        return f"{branch.failure.message}{kept}", bad
    if earlier:
        return "Asked again. The text from before stays until the new one is done.", False
    if branch.ballot is not None and branch.state.succeeded and branch.ballot.problem:
        return branch.ballot.problem, False
    if not_needed(branch) and branch.text:
        return "The outcome was decided without it. The text so far is kept.", False
    if late := late_text(branch, snapshot):
        return late, False
    if branch.finish_reason == "length":
        return "Reached its length limit.", False
    if branch.state is BranchState.STOPPED and branch.text:
        return "Stopped. The text so far is kept.", False
    return "", False


def _can(branch: Branch, snapshot: Snapshot) -> Act:
    if not branch.state.finished:
        return "" if snapshot.status.finished else "stop"
    return "retry" if snapshot.status.finished and not branch.state.succeeded else ""


def _clock(branch: Branch, state: BranchState, since: float) -> Clock:
    running = branch.state is state and not state.finished
    return round(branch.spent_s(state, since), 3), round(since, 3) if running else None


def _pace(branch: Branch, since: float) -> Clock:
    running = branch.state is BranchState.WRITING
    return round(attempt_writing_s(branch, since), 3), round(since, 3) if running else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
