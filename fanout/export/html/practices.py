"""How well a run went parallel: the best practices as it kept them, each with what to do."""

from __future__ import annotations

from fanout.export.html.calls import Call, branch_calls
from fanout.export.html.markup import Markup, el
from fanout.export.html.parts import chip, folded, section, table
from fanout.insight.independence import Independence
from fanout.insight.practice import Level, Practice
from fanout.insight.practices import measured, run_independence
from fanout.snapshot import Snapshot

_WORDS: dict[Level, str] = {
    "good": "Good",
    "watch": "Worth a look",
    "bad": "Do something",
    "unknown": "Not measured",
}
SHADES = 10
"""How many steps a cell's tint has."""


def practices(snapshot: Snapshot) -> Markup:
    """Every measure with its reading and advice; then which branches repeat each other."""
    found = run_independence(snapshot)
    cards = [_card(practice) for practice in measured(snapshot, snapshot.at, found)]
    return section(
        "practices",
        "How well it went parallel",
        el("div", cards, class_="grid small"),
        _repetition(found, snapshot) if found is not None else None,
    )


def _card(practice: Practice) -> Markup:
    return el(
        "article",
        el("h3", practice.title),
        el("p", practice.value, class_="figure-value"),
        el("p", chip(practice.level, _WORDS[practice.level])),
        el("p", practice.reading, dir="auto"),
        el("p", practice.advice, class_="hold", dir="auto") if practice.advice else None,
        class_="card practice",
    )


def _repetition(found: Independence, snapshot: Snapshot) -> Markup:
    by_title = {call.title: call for call in branch_calls(snapshot)}
    calls = [by_title[title] for title in found.titles]
    shared = None
    if found.closest.phrase:
        shared = el(
            "p", "Longest phrase that two share: ", el("q", found.closest.phrase), class_="hold"
        )
    return folded(
        "Which branches repeat each other",
        el(
            "p",
            "Shared wording in percent. Two texts that say the same in other words look different "
            "here.",
            class_="hold",
        ),
        _matrix(found, calls),
        shared,
        printed=True,
    )


def _matrix(found: Independence, calls: list[Call]) -> Markup:
    rows = (
        (
            call.label,
            *(
                el("span", f"{100 * value:.0f}", class_=f"tint t{round(SHADES * value)}")
                for value in row
            ),
        )
        for call, row in zip(calls, found.matrix, strict=True)
    )
    heads = ("Branch", *(call.mark for call in calls))
    return table(heads, rows, label="Shared wording of each two branches, in percent")
