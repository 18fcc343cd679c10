"""The sides of a comparison: runs or single calls, each with what it has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.compare.picks import Pick
from components.compare.ways import how, models
from fanout.engine.handle import RunHandle
from fanout.insight.titled_parts import titled_parts
from fanout.render.form_text import form_text
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import AGGREGATE
from fanout.workflows.baseline import is_single_prompt

COMBINED = ""
"""Stands for a run's combined answer where the id of a call is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One column, as its run stands now."""

    number: int
    """From 1, in the order of the address."""
    handle: RunHandle
    snapshot: Snapshot
    now_s: float
    title: str
    """What tells it from the others: "Creative trio, one after another", "Creative trio: Poem"."""
    call: str = ""
    """The one call that is compared; "" is the whole run."""

    @property
    def name(self) -> str:
        """ "1 Creative trio"."""
        return f"{self.number} {self.title}"

    @property
    def calls(self) -> tuple[Branch, ...]:
        """The one call, or all of the run."""
        found = call_of(self.snapshot, self.call) if self.call else None
        return (found,) if found is not None else self.snapshot.calls

    @property
    def live(self) -> bool:
        return not self.snapshot.status.finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the sides are read on: their combined answers, or one branch."""

    id: str
    title: str


def sides_of(found: Sequence[tuple[Pick, RunHandle]]) -> tuple[Side, ...]:
    """The sides of a comparison as they stand now, each with a title that tells it apart."""
    made = [
        Side(
            number=number,
            handle=handle,
            snapshot=handle.snapshot,
            now_s=handle.now_s(),
            title=_title(handle.snapshot, pick.call),
            call=pick.call,
        )
        for number, (pick, handle) in enumerate(found, 1)
    ]
    return tuple(_told_apart(one, made) for one in made)


def _title(snapshot: Snapshot, call_id: str) -> str:
    found = call_of(snapshot, call_id) if call_id else None
    of = f": {found.title if found else call_id}" if call_id else ""
    return f"{snapshot.title}{of}"


def _told_apart(one: Side, sides: Sequence[Side]) -> Side:
    """With how it was asked, and then whom, as far as another side is called the same."""
    alike = [other for other in sides if other.title == one.title]
    way, title = how(one.snapshot), one.title
    if any(how(other.snapshot) != way for other in alike):
        title = f"{title}, {way.lower()}"
        alike = [other for other in alike if how(other.snapshot) == way]
    asked = models(one.calls, one.snapshot)
    if any(models(other.calls, other.snapshot) != asked for other in alike):
        title = f"{title}, {', '.join(dict.fromkeys(call.plan.model.model for call in one.calls))}"
    return replace(one, title=title)


def call_of(snapshot: Snapshot, call_id: str) -> Branch | None:
    """The call of that id, if the run has one."""
    return next((call for call in snapshot.calls if call.id == call_id), None)


def subjects(sides: Sequence[Side]) -> tuple[Subject, ...]:
    """What can be read side by side: the combined answers, then every branch that any run has."""
    found = {"": Subject(id=COMBINED, title="Combined answer")}
    for one in sides:
        for branch in one.snapshot.branches:
            known = any(_same(branch, subject) for subject in found.values())
            if not known and not _is_baseline(one.snapshot):
                found[branch.id] = Subject(id=branch.id, title=branch.title)
        for made in one.snapshot.aggregates:
            if made.id != AGGREGATE:
                found.setdefault(made.id, Subject(id=made.id, title=made.heading))
    return tuple(found.values())


def said(one: Side, subject: Subject, others: Sequence[Side]) -> str | None:
    """What that side says on it; None where it has nothing of the kind.

    A one-prompt answer holds several texts; the one under the title that the other runs use is
    taken, so that like is compared with like.
    """
    snapshot = one.snapshot
    if one.call:
        return call_text(snapshot, one.call)
    if _is_baseline(snapshot) and len(snapshot.branches) == 1 and not snapshot.aggregates:
        return _part(one, subject, others)
    if subject.id == COMBINED:
        return combined_text(snapshot)
    found = next((b for b in snapshot.branches if _same(b, subject)), None)
    return branch_text(found) if found else call_text(snapshot, subject.id)


def call_text(snapshot: Snapshot, call_id: str) -> str | None:
    made = next((one for one in snapshot.aggregates if one.id == call_id), None)
    if made is not None:
        return _answer(made)
    found = call_of(snapshot, call_id)
    return branch_text(found) if found else None


def combined_text(snapshot: Snapshot) -> str | None:
    """The combined answer; of a run that combines nothing, what its branches say."""
    if snapshot.aggregate is not None:
        return _answer(snapshot.aggregate)
    if snapshot.aggregate_kind is not None:
        return None
    texts = [(branch.title, branch_text(branch)) for branch in snapshot.branches]
    if len(texts) == 1:
        return texts[0][1]
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in texts if text.strip())


def branch_text(branch: Branch) -> str:
    """A branch's text as a person reads it."""
    shown = branch.shown
    return shown.text if shown.plan.form is None else form_text(shown.plan.form, shown.text)


def _answer(made: Aggregate) -> str:
    return made.shown.text


def _part(one: Side, subject: Subject, others: Sequence[Side]) -> str | None:
    """Of an answer to everything at once, the part under the subject's title."""
    whole = branch_text(one.snapshot.branches[0])
    titles = {subject.title: subject.title}
    combined = []
    for other in others:
        titles.update({branch.title: branch.title for branch in other.snapshot.branches})
        if other.snapshot.aggregate is not None:
            combined.append(other.snapshot.aggregate.branch.title)
    parts = titled_parts(whole, [*titles, *combined])
    if subject.id == COMBINED:
        return next((parts[title] for title in combined if title in parts), whole)
    return parts.get(subject.title)


def _is_baseline(snapshot: Snapshot) -> bool:
    return is_single_prompt(snapshot.workflow)


def _same(branch: Branch, subject: Subject) -> bool:
    """Branches are matched by id, or by title where a workflow named them otherwise."""
    return subject.id != COMBINED and (
        branch.id == subject.id or branch.title.casefold() == subject.title.casefold()
    )
