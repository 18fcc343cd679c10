"""What failed in a run and what was done about it, a line for each call that had trouble."""

from __future__ import annotations

from collections.abc import Iterator

from fanout.export.html.calls import Call, every_call
from fanout.export.html.markup import Markup, bdi, between, el
from fanout.export.html.parts import chip, section, table
from fanout.render.words import branch_word, kind_word, not_needed, seconds_text
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState


def mishaps(snapshot: Snapshot) -> Markup | None:
    """None where every call went through at once."""
    rows = [
        (
            call.label,
            chip(call.branch.state, branch_word(call.branch)),
            between(" ", _happened(call.branch)),
            between(" ", _done(call, snapshot)),
        )
        for call in every_call(snapshot)
        if _troubled(call.branch)
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


def _troubled(branch: Branch) -> bool:
    fell_short = branch.state.finished and not branch.state.succeeded and not not_needed(branch)
    return bool(fell_short or branch.failure or branch.setbacks or branch.earlier)


def _happened(branch: Branch) -> Iterator[Markup]:
    for go in branch.goes:
        for setback in go.setbacks:
            yield el("span", f"{kind_word(setback.kind)}: ", bdi(setback.message))
        if go.failure is not None:
            yield el("span", f"{kind_word(go.failure.kind)}: ", bdi(go.failure.message))
    if branch.state is BranchState.STOPPED and branch.failure is None:
        yield el("span", "It was stopped.")


def _done(call: Call, snapshot: Snapshot) -> Iterator[str]:
    branch = call.branch
    tries = sum(go.attempts for go in branch.goes)
    if any(go.setbacks for go in branch.goes):
        waited = sum(go.spent_s(BranchState.RETRYING, snapshot.at) for go in branch.goes)
        yield f"Tried {tries} times, backing off {seconds_text(waited)}."
    if branch.earlier:
        yield f"Asked again by hand, {len(branch.goes)} times in all."
    if branch.state.succeeded:
        yield "Then it went through."
    elif branch.shown is not branch:
        yield "The text from before is kept."
    elif branch.text:
        yield "What it had written is kept."
    if not branch.state.succeeded and call.mark and _left_out(branch, snapshot):
        yield "The combined answer was made without it."


def _left_out(branch: Branch, snapshot: Snapshot) -> bool:
    made = snapshot.aggregate
    return made is not None and branch.id not in made.shown.used and not not_needed(branch)
