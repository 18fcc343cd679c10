"""The combined answers: each with the sources of its sentences, and the passages that it cites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanout.export.html.calls import answer_anchor
from fanout.export.html.colours import WHOLE
from fanout.export.html.columns import attempts, foot, marked, note, preparations
from fanout.export.html.markup import Markup, bdi, between, el
from fanout.export.html.parts import chip, folded, section
from fanout.export.html.shares import shares
from fanout.export.html.source_marks import Told
from fanout.export.html.sourced import Answer
from fanout.render.answer_face import answer_face, missing_answer_face
from fanout.render.faces import Face
from fanout.retrieval.passages import Fused
from fanout.snapshot import Snapshot


def answers(snapshot: Snapshot, made: Sequence[Answer]) -> Markup | None:
    """The section that the report opens with; None where the workflow combines nothing."""
    cards = [_card(answer, snapshot) for answer in made]
    if snapshot.aggregate is None and snapshot.aggregate_kind is not None:
        cards.insert(0, _missing(missing_answer_face(snapshot)))
    if not cards:
        return None
    return section("answer", "Combined answer" if len(cards) == 1 else "Combined answers", cards)


def _missing(face: Face) -> Markup:
    return _framed(face, "answer-none", el("p", face["hold"], class_="hold"))


def _card(answer: Answer, snapshot: Snapshot) -> Markup:
    face = answer_face(answer.made, snapshot)
    anchor = answer_anchor(answer.made)
    body = answer.html or el("p", face["hold"] or "There is no text.", class_="hold")
    beside = shares(answer, snapshot)
    return _framed(
        face,
        anchor,
        preparations(face),
        marked(face),
        note(face),
        el(
            "div",
            el("div", body, class_="text"),
            el("div", beside, class_="beside") if beside else None,
            class_="answer",
        ),
        _sentences(answer.told, face),
        _passages(answer.made.shown.passages, anchor, snapshot),
        attempts(answer.made.branch),
        foot(face),
    )


def _framed(face: Face, anchor: str, *inside: Markup | None) -> Markup:
    return el(
        "article",
        el(
            "div",
            el("h3", bdi(face["title"]), id=f"{anchor}-title"),
            chip(face["state"], face["word"]),
            class_="head",
        ),
        inside,
        id=anchor,
        class_=f"card whole {WHOLE}",
        aria_labelledby=f"{anchor}-title",
    )


def _sentences(told: Sequence[Told], face: Face) -> Markup | None:
    """Every sentence with the words it came from: for paper, for ears, and for the script."""
    if not told:
        return None
    return folded(
        "Every sentence with its source",
        el("ol", map(_sentence, told), class_="sentences", aria_label=f"Sources: {face['label']}"),
    )


def _sentence(told: Told) -> Markup:
    return el(
        "li",
        el("p", told.text, dir="auto"),
        el("div", _quotes(told), class_="quotes", data_quotes=told.id),
        id=told.id,
    )


def _quotes(told: Told) -> Iterator[Markup]:
    if not told.sources:
        yield el("p", f"No source found{f': {told.why}' if told.why else ''}.", class_="hold")
    for one in told.sources:
        yield el(
            "p",
            el("a", one.mark, href=one.href, class_="let", aria_label=one.name),
            " ",
            el("q", one.quote, dir="auto"),
            class_=f"quote {one.shade}",
        )


def _passages(cited: Sequence[Fused], anchor: str, snapshot: Snapshot) -> Markup | None:
    """What the answer was written from: the first is [1]."""
    if not cited:
        return None
    titles = {str(branch.id): branch.title for branch in snapshot.branches}
    items = []
    for number, one in enumerate(cited, 1):
        passage = one.passage
        ways = [titles.get(id_, id_) for id_ in one.found_by]
        place = passage.place or f"passage {passage.ordinal}"
        items.append(
            el(
                "li",
                el("p", el("b", f"[{number}] "), bdi(passage.title), ", ", bdi(place)),
                el("blockquote", passage.text, dir="auto", class_="asis"),
                el("p", "Found by ", between(", ", map(bdi, ways)), class_="hold")
                if ways
                else None,
                id=f"{anchor}-p{number}",
            )
        )
    return el(
        "div", el("h4", "Passages it cites"), el("ol", items, class_="passages"), class_="under"
    )
