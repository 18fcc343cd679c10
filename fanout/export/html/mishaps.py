"""What failed in a run and what was done about it, a line for each call that had trouble."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from fanout.export.html.calls import Call, every_call
from fanout.export.html.markup import Markup, bdi, between, el
from fanout.export.html.parts import chip, section, table
from fanout.render.fan_in_words import is_late
from fanout.render.live_words import marks
from fanout.render.words import branch_word, kind_word, not_needed, seconds_text
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState


def mishaps(snapshot: Snapshot) -> Markup | None:
    """None where every call went through at once."""
    rows = [
        (
            call.label,
            chip(call.branch.state, branch_word(call.branch)),
            between(" ", _happened(call.branch, snapshot)),
            between(" ", _done(call, snapshot)),
        )
        for call in every_call(snapshot)
        if _troubled(call.branch, snapshot)
    ]
    if not rows:
        return None
    return section(
        "mishaps",
        "What went wrong, and what was done",
        table(
            ("Call", "How it ended", "What happened", "What was done"),
            rows,
            label="Calls that had trouble",
        ),
    )


def _troubled(branch: Branch, snapshot: Snapshot) -> bool:
    fell_short = branch.state.finished and not branch.state.succeeded and not not_needed(branch)
    troubled = branch.failure or branch.setbacks or branch.earlier or branch.hedges
    return bool(fell_short or troubled or is_late(branch, snapshot))


def _happened(branch: Branch, snapshot: Snapshot) -> Iterator[Markup]:
    for go in branch.goes:
        for hedge in go.hedges:
            yield el("span", f"No first word after {seconds_text(hedge.late_s)}.")
        for (kind, message), alike in groupby(go.setbacks, lambda one: (one.kind, one.message)):
            often = len(tuple(alike))
            times = f", {often} times" if often > 1 else ""
            yield el("span", f"{kind_word(kind)}{times}: ", bdi(message))
        if go.failure is not None:
            yield el("span", f"{kind_word(go.failure.kind)}: ", bdi(go.failure.message))
    if branch.state is BranchState.STOPPED and branch.failure is None:
        yield el("span", "It was stopped.")
    if is_late(branch, snapshot):
        yield el("span", "It came after the answer was begun.")


def _done(call: Call, snapshot: Snapshot) -> Iterator[str]:
    branch = call.branch
    tries = sum(go.attempts for go in branch.goes)
    if any(go.setbacks for go in branch.goes):
        waited = sum(go.spent_s(BranchState.RETRYING, snapshot.at) for go in branch.goes)
        yield f"Tried {tries} times, backing off {seconds_text(waited)}."
    for mark in marks(branch, snapshot):
        yield f"{mark.text}."
    if branch.earlier:
        yield f"Asked again by hand, {len(branch.goes)} times in all."
    if branch.state.succeeded and (branch.setbacks or branch.earlier):
        yield "Then it went through."
    elif branch.state.succeeded:
        pass
    elif branch.shown is not branch:
        yield "The text from before is kept."
    elif branch.text:
        yield "What it had written is kept."
    left_out = not branch.state.succeeded or is_late(branch, snapshot)
    if left_out and call.mark and _left_out(branch, snapshot):
        yield "The combined answer was made without it."


def _left_out(branch: Branch, snapshot: Snapshot) -> bool:
    made = snapshot.aggregate
    return made is not None and branch.id not in made.shown.used and not not_needed(branch)
