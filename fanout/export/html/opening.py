"""The report's head: what was asked, of whom, when, how it ended, and the run in one number."""

from __future__ import annotations

from datetime import UTC, datetime

from fanout.export.html.markup import Child, Markup, bdi, el, trusted
from fanout.export.html.parts import chip, dotted
from fanout.insight.speed import speed
from fanout.render.fan_in_words import plan_text
from fanout.render.headline import headline, remarks
from fanout.render.words import run_word
from fanout.snapshot import Snapshot
from fanout.store.values import Label, StoredRun

LONGEST_TITLE = 140
"""Characters of a topic that can stand as a heading; a longer one stands below it, whole."""

LOGO = trusted(
    '<svg class="logo" width="26" height="26" viewBox="0 0 24 24" fill="none" '
    'stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">'
    '<path d="M3 12h4M7 12c5 0 4-7 9-7h5M7 12h14M7 12c5 0 4 7 9 7h5"/></svg>'
)


_SHARED = (
    " The branches shared its processors and slowed each other down, so the sum of their times "
    "flatters."
)


def title_of(run: StoredRun) -> str:
    """What the report is called: the name somebody gave the run, else its topic."""
    return _line(run.label.name or run.snapshot.topic) or run.snapshot.title or "A run"


def opening(run: StoredRun, controls: Child = None) -> Markup:
    """Everything above the combined answer; `controls` are the buttons beside the name."""
    snapshot, title = run.snapshot, title_of(run)
    return el(
        "header",
        el(
            "div",
            el("p", LOGO, "Fanout ", el("span", "run report"), class_="brand"),
            controls,
            class_="top",
        ),
        el("h1", title, dir="auto"),
        _facts(run),
        _topic(snapshot, title),
        _labels(run.label),
        _number(snapshot),
    )


def when(unix_s: float) -> Markup:
    """A moment for anybody anywhere: "22 November 2026, 14:05 UTC"."""
    try:
        at = datetime.fromtimestamp(unix_s, UTC)
    except (ValueError, OverflowError, OSError):
        return el("span", "at an unknown time")
    shown = f"{at.day} {at:%B %Y, %H:%M} UTC"
    return el("time", shown, datetime=at.isoformat(timespec="seconds"))


def models(snapshot: Snapshot) -> str:
    """Every model that was asked, the run's own first."""
    own = [snapshot.made_with.model.model] if snapshot.made_with else []
    asked = [
        model
        for call in snapshot.calls
        for model in (call.plan.model.model, call.answered_by.model)
    ]
    return ", ".join(dict.fromkeys(name for name in own + asked if name))


def hosts(snapshot: Snapshot) -> str:
    """Where the models answered: a server's name and host, or this machine."""
    if snapshot.made_with is None:
        return ""
    used = {call.plan.model.endpoint for call in snapshot.calls}
    used |= {call.answered_by.endpoint for call in snapshot.calls}
    facts = (fact for name, fact in snapshot.made_with.endpoints.items() if name in used)
    return ", ".join(dict.fromkeys(fact.host or fact.name for fact in facts))


def _facts(run: StoredRun) -> Markup:
    snapshot = run.snapshot
    where = hosts(snapshot)
    facts = dotted(
        [
            bdi(snapshot.title),
            when(snapshot.started_at),
            [
                bdi(_line(models(snapshot))),
                " on " if where else None,
                bdi(where) if where else None,
            ],
            plan_text(snapshot) or None,
            "one after another" if snapshot.made_with and snapshot.made_with.sequential else None,
        ]
    )
    return el("p", chip(snapshot.status, run_word(snapshot.status)), " ", facts, class_="facts")


def _topic(snapshot: Snapshot, title: str) -> Markup | None:
    """The topic in full, unless it is the heading already."""
    if " ".join(snapshot.topic.split()) == title:
        return None
    return el(
        "div",
        el("p", "Topic", class_="eyebrow"),
        el("p", snapshot.topic, dir="auto", class_="asis"),
        class_="topic",
    )


def _labels(label: Label) -> Markup | None:
    if not (label.notes or label.tags):
        return None
    tags = [el("li", bdi(tag)) for tag in label.tags]
    return el(
        "div",
        el("ul", tags, class_="tags", aria_label="Tags") if tags else None,
        el("p", label.notes, dir="auto", class_="asis") if label.notes else None,
        class_="labels",
    )


def _number(snapshot: Snapshot) -> Markup:
    said = headline(snapshot)
    measures = speed(snapshot, snapshot.at)
    if said is None:
        number = f"Running: {measures.wall_s:.1f} s so far"
        return el("div", el("p", number, class_="number"), class_="headline")
    means = [said["gain"], said["money"], f"overhead {measures.overhead_s:.2f} s"]
    means += remarks(snapshot)
    return el(
        "div",
        el("p", said["number"], class_="number"),
        el("p", dotted(means), class_="means"),
        el("p", el("strong", said["honest"]), _SHARED, class_="means") if said["honest"] else None,
        el("p", snapshot.failure.message, class_="said bad") if snapshot.failure else None,
        class_="headline",
    )


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rstrip()}…"
