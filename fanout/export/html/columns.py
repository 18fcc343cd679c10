"""The branches: every text in full, its state and its numbers, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fanout.export.html.calls import Call, branch_calls
from fanout.export.html.marking import fitted
from fanout.export.html.markup import Markup, bdi, el, trusted
from fanout.export.html.parts import chip, dotted, folded, section
from fanout.render.column_face import branch_face
from fanout.render.faces import Face
from fanout.render.markdown import render
from fanout.render.words import kind_word, metrics, state_word
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchId


def columns(snapshot: Snapshot, shown: Mapping[BranchId, Markup]) -> Markup:
    """A card for each branch, in column order."""
    cards = [_card(call, snapshot, shown[call.branch.id]) for call in branch_calls(snapshot)]
    done = sum(branch.state.succeeded for branch in snapshot.branches)
    count = len(snapshot.branches)
    quoted = any("data-of=" in html for html in shown.values())
    tinted = "Tinted: what went into the combined answer" if quoted else None
    title = "Branch" if count == 1 else "Branches"
    return section(
        "branches",
        title,
        el("div", cards, class_="grid"),
        note=dotted([f"{done} of {count} {'is' if count == 1 else 'are'} done", tinted]),
    )


def _card(call: Call, snapshot: Snapshot, text: Markup) -> Markup:
    face = branch_face(call.branch, snapshot)
    body = text or el("p", face["hold"] or "There is no text.", class_="hold")
    return el(
        "article",
        el(
            "div",
            el("span", call.mark, class_="let", aria_hidden="true"),
            el("h3", bdi(call.title), id=f"{call.anchor}-title"),
            chip(face["state"], face["word"]),
            class_="head",
        ),
        marked(face),
        note(face),
        el("div", body, class_="text"),
        attempts(call.branch),
        foot(face, _model(call.branch, snapshot)),
        id=call.anchor,
        class_=f"card {call.shade}",
        aria_labelledby=f"{call.anchor}-title",
    )


def note(face: Face) -> Markup | None:
    """Why it failed and what to do, or that it is cut short."""
    if not face["note"]:
        return None
    return el("p", face["note"], class_="said bad" if face["bad"] else "said", dir="auto")


def marked(face: Face) -> Markup | None:
    """What is unusual about it, a line for each: a fallback, a restart, a second request."""
    told = face.get("marks", [])
    return el("ul", (el("li", bdi(text)) for _, text in told), class_="marks") if told else None


def foot(face: Face, model: str = "") -> Markup | None:
    """The final numbers, and the model where it isn't the run's own."""
    numbers = [*(face["foot"] or ()), model]
    return el("p", dotted(numbers), class_="foot") if any(numbers) else None


def preparations(face: Face) -> Markup | None:
    """Calls that prepared a combined answer, a line for each."""
    if not face["before"]:
        return None
    lines = [
        el("li", chip(one["state"], one["word"]), " ", bdi(one["title"])) for one in face["before"]
    ]
    return el("ul", lines, class_="before")


def attempts(branch: Branch) -> Markup | None:
    """Earlier attempts and goes, oldest first; None where the first one did it."""
    lines = list(_attempts(branch))
    if not lines:
        return None
    tries = sum(go.attempts for go in branch.goes)
    return folded(f"{tries} attempts: what happened before", el("ol", lines, class_="attempts"))


def _attempts(branch: Branch) -> Iterator[Markup]:
    for go in branch.goes:
        for setback in go.setbacks:
            yield el("li", el("b", kind_word(setback.kind)), ": ", bdi(setback.message))
        if go is branch:
            return
        ended = go.failure.message if go.failure else ""
        yield el(
            "li",
            el("b", state_word(go.state)),
            el("span", ": ", bdi(ended)) if ended else None,
            ". Asked again by hand.",
            el("p", dotted(metrics(go, go.finished_s or 0.0)), class_="hold"),
            el("div", trusted(fitted(render(go.text))), class_="text before-text")
            if go.text.strip() and go is not branch.shown
            else None,
        )


def _model(branch: Branch, snapshot: Snapshot) -> str:
    own = snapshot.made_with.model if snapshot.made_with else None
    # A fallback is told by its mark.
    return branch.plan.model.model if branch.plan.model != own and not branch.model else ""
