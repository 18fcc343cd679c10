"""How much of a combined answer came from whom, and how much of each branch arrived in it."""

from __future__ import annotations

from collections.abc import Mapping

from fanout.export.html.calls import branch_calls, by_id
from fanout.export.html.markup import Markup, bdi, el
from fanout.export.html.sourced import Answer
from fanout.snapshot import Snapshot
from fanout.types import BranchId

NOBODY = ""


def shares(answer: Answer, snapshot: Snapshot) -> Markup | None:
    """A bar in the branches' colours with its numbers; None where there are no sources."""
    if answer.sources is None or not answer.told:
        return None
    hint = el(
        "div",
        el("p", "Point at a sentence, or tap it, to see what it came from.", class_="hold"),
        class_="panel",
        data_panel=True,
        hidden=True,
    )
    counted = sum(bool(told.sources) for told in answer.told)
    sentences = "1 sentence" if len(answer.told) == 1 else f"{len(answer.told)} sentences"
    line = el("p", f"{counted} of {sentences} with a source", class_="hold")
    if answer.sources["passages"]:
        return el("div", el("h4", "Where it came from"), line, hint)
    return el("div", el("h4", "Where it came from"), _bar(answer, snapshot), line, hint)


def by_length(answer: Answer) -> Mapping[str, float]:
    """Letter to its share of the answer, by length; what has no source counts under ""."""
    sizes: dict[str, float] = {}
    for told in answer.told:
        for mark in [one.mark for one in told.sources] or [NOBODY]:
            sizes[mark] = sizes.get(mark, 0.0) + len(told.text) / max(1, len(told.sources))
    whole = sum(sizes.values())
    return {mark: size / whole for mark, size in sizes.items()} if whole else {}


def _bar(answer: Answer, snapshot: Snapshot) -> Markup:
    found = by_length(answer)
    reached = answer.sources["reached"] if answer.sources else {}
    calls = [
        call
        for id, call in by_id(branch_calls(snapshot)).items()
        if id in answer.made.shown.used or call.mark in found
    ]
    pieces, rows, at = [], [], 0.0
    for call in calls:
        share = found.get(call.mark, 0.0)
        pieces.append(_piece(at, share, call.shade))
        at += share
        rows.append(
            el(
                "li",
                el("span", call.mark, class_=f"let {call.shade}"),
                el("span", bdi(call.title), class_="who"),
                el("b", f"{share:.0%}"),
                _arrived(reached.get(BranchId(call.branch.id))),
            )
        )
    if NOBODY in found:
        pieces.append(_piece(at, found[NOBODY], "nobody"))
        rows.append(
            el(
                "li",
                el("span", "?", class_="let nobody"),
                el("span", "no branch", class_="who"),
                el("b", f"{found[NOBODY]:.0%}"),
            )
        )
    said = "Share of the answer by branch; the list below holds the same numbers"
    bar = el("svg", el("title", said), pieces, class_="share", role="img")
    return el("div", bar, el("ul", rows, class_="shares"))


def _piece(at: float, share: float, shade: str) -> Markup:
    return el(
        "rect",
        x=f"{100 * at:.2f}%",
        width=f"{100 * share:.2f}%",
        y="0",
        height="100%",
        class_=f"fill {shade}",
    )


def _arrived(share: float | None) -> Markup | None:
    if share is None:
        return None
    return el("small", f"{share:.0%} of it arrived")
