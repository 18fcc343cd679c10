"""The face of a combined answer: also before there is one, and where there will be none."""

from __future__ import annotations

from fanout.insight.practice import named
from fanout.render.column_face import branch_face, preparation
from fanout.render.faces import Act, Face
from fanout.render.fan_in_words import fan_in_text
from fanout.render.sanitise import clean_text
from fanout.render.words import state_word
from fanout.snapshot import Aggregate, Snapshot
from fanout.types import AGGREGATE, BranchState, RunStatus

COMBINED = "Combined answer"
_PREPARING = {
    "guided": "Written when the points are there.",
    "best": "Decided when all have judged.",
}


def answer_face(made: Aggregate, snapshot: Snapshot) -> Face:
    """Only the workflow's own answer can be asked for again; the others are simply made anew."""
    face = branch_face(made.branch, snapshot)
    main = made.id == AGGREGATE
    waiting = made.branch.state is BranchState.READY
    counted = made.branch.state.finished and not made.branch.attempts
    if made.shown is not made:
        face = {**face, "note": clean_text(_from_before(made, snapshot))}
        if main and snapshot.status.finished:
            face["can"] = "retry"
    elif main and not face["can"] and snapshot.status.finished and snapshot.late:
        came = named([branch.title for branch in snapshot.late])
        said = f"{came} came after this answer was begun."
        face = {**face, "can": "fold", "note": clean_text(face["note"] or said)}
    return {
        **face,
        "title": clean_text(made.shown.heading),
        "label": answer_label(made),
        "hold": _PREPARING.get(made.kind, "") if waiting else face["hold"],
        "can": "" if face["can"] == "retry" and not main else face["can"],
        # What was counted or joined asked nobody, and took no time worth telling.
        "foot": [] if counted else face["foot"],
        "before": [preparation(call) for call in made.before],
    }


def _from_before(made: Aggregate, snapshot: Snapshot) -> str:
    if not snapshot.status.finished:
        return "This is the answer from before. It stays until the new one is done."
    failure = made.branch.failure
    why = failure.message if failure is not None else "No new answer was written."
    return f"{why} This is the answer from before."


def answer_label(made: Aggregate) -> str:
    """ "Combined answer" for the workflow's own, "Combined answer 2: Comparison" for another."""
    number = answer_number(made)
    return COMBINED if number == 1 else f"{COMBINED} {number}: {clean_text(made.branch.title)}"


def answer_number(made: Aggregate) -> int:
    """1 is the workflow's own; the others count on from 2."""
    rest = made.id.removeprefix(f"{AGGREGATE}-")
    return int(rest) if rest.isdecimal() else 1


def missing_answer_face(snapshot: Snapshot) -> Face:
    """Where the workflow's own answer will stand, or why there is none."""
    fan_in = snapshot.policies.fan_in if snapshot.policies else None
    when = fan_in_text(fan_in, len(snapshot.branches)) if fan_in else ""
    state, hold = BranchState.READY, f"Written {when or 'when the branches are done'}."
    word = "Planned"
    can: Act = ""
    if snapshot.status.finished:
        neutral = snapshot.status in (RunStatus.STOPPED, RunStatus.INTERRUPTED)
        state = BranchState.STOPPED if neutral else BranchState.FAILED
        word, hold = state_word(state), f"No combined answer: {_why_none(snapshot)}."
        can = "retry" if any(branch.state.succeeded for branch in snapshot.branches) else ""
    return Face(
        title=COMBINED,
        label=COMBINED,
        state=state,
        tone="",
        word=word,
        hold=hold,
        note="",
        bad=False,
        can=can,
        said="",
        clock=(0.0, None),
        pace=(0.0, None),
        off=(0.0, None),
        first=None,
        retry=None,
        foot=[],
        before=[],
    )


def _why_none(snapshot: Snapshot) -> str:
    if snapshot.status is RunStatus.STOPPED:
        return "the run was stopped"
    if snapshot.status is RunStatus.INTERRUPTED:
        return "the run was interrupted before it"
    if not any(branch.state.succeeded for branch in snapshot.branches):
        failed = all(
            branch.state in (BranchState.FAILED, BranchState.TIMED_OUT)
            for branch in snapshot.branches
        )
        return "every branch failed" if failed else "no branch has a result"
    return "the run ended before it"
