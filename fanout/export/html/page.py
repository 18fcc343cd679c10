"""The whole report: one HTML file that needs no network, no server and no script to be read.

Its Content-Security-Policy allows the style and the scripts in it by their hashes and nothing else,
so that even markup that slipped through every other wall could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fanout.export.html.answers import answers
from fanout.export.html.charts import HATCHING
from fanout.export.html.colours import colour_style
from fanout.export.html.columns import columns
from fanout.export.html.found import found
from fanout.export.html.markup import Markup, bdi, el, join, trusted
from fanout.export.html.measures import measures
from fanout.export.html.mishaps import mishaps
from fanout.export.html.opening import opening, title_of
from fanout.export.html.parts import dotted
from fanout.export.html.practices import practices
from fanout.export.html.prompts import prompts
from fanout.export.html.replay import replay_buttons, replay_stage
from fanout.export.html.sourced import texts
from fanout.export.html.voting import voting
from fanout.render.stage import board_script
from fanout.snapshot import Snapshot
from fanout.store.values import StoredRun

_HERE = Path(__file__).parent
ALONE = "Everything is in this file: it loads nothing and sends nothing."
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect "
    "width='32' height='32' rx='7' fill='%233b4cca'/%3E%3Cg fill='none' stroke='%23fff' "
    "stroke-width='2.6' stroke-linecap='round'%3E%3Cpath d='M5 16h5M10 16c6 0 5-8.5 11-8.5h6M10 "
    "16h17M10 16c6 0 5 8.5 11 8.5h6'/%3E%3C/g%3E%3C/svg%3E"
)

NONE = "'none'"

Part = tuple[str, str, Markup | None]
"""Anchor, name in the table of contents, and the section."""


def html_report(run: StoredRun) -> str:
    """A run as one file, whatever its state; takes up to a second or two for long texts.

    A live run is told as it stands: `StoredRun(events=handle.events, snapshot=handle.snapshot)`.
    """
    snapshot = run.snapshot
    shown = texts(snapshot)
    parts: list[Part] = [
        ("answer", "Answer", answers(snapshot, shown.answers)),
        ("branches", "Branches", columns(snapshot, shown.branches)),
        ("votes", "Votes", voting(snapshot)),
        ("found", "Passages", found(snapshot)),
        ("measures", "Time, tokens, cost", measures(snapshot)),
        ("practices", "How it went parallel", practices(snapshot)),
        ("mishaps", "What went wrong", mishaps(snapshot)),
        ("prompts", "Prompts", prompts(snapshot)),
    ]
    stage = replay_stage(run)
    body = el(
        "body",
        opening(run, replay_buttons() if stage is not None else None),
        contents(parts),
        el("main", HATCHING, (part for _, _, part in parts)),
        _closing(snapshot),
        stage,
        _scripts(replay=stage is not None),
    )
    return document(title_of(run), body, scripts=_script_texts(replay=stage is not None))


def document(title: str, body: Markup, *, scripts: Sequence[str] = (), style: str = "") -> str:
    """A whole file around its body; `style` comes after the look that every report has, `scripts`
    are the texts of those in the body."""
    head = _head(title, scripts, f"{_style()}{style}")
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _head(title: str, scripts: Sequence[str], style: str) -> Markup:
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {' '.join(map(_hash, scripts)) or NONE}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="generator", content="Fanout"),
        el("title", f"{title} · Fanout"),
        el("link", rel="icon", href=_ICON),
        el("style", trusted(style)),
    )


def contents(parts: Sequence[Part]) -> Markup:
    """Links to the parts that there are."""
    links = [
        el("li", el("a", name, href=f"#{anchor}"))
        for anchor, name, part in parts
        if part is not None
    ]
    return el("nav", el("ul", links), aria_label="On this page")


def _closing(snapshot: Snapshot) -> Markup:
    versions = snapshot.made_with.versions if snapshot.made_with else {}
    made = " ".join(["Made with Fanout", versions.get("fanout", "")]).strip()
    words = [made, join(["run ", bdi(snapshot.run_id)])]
    return el(
        "footer",
        el("p", dotted(words)),
        el("p", ALONE),
    )


def _scripts(*, replay: bool) -> Markup:
    return join(el("script", trusted(text)) for text in _script_texts(replay=replay))


def _script_texts(*, replay: bool) -> tuple[str, ...]:
    return (board_script(), _own_script()) if replay else (_own_script(),)


@cache
def _own_script() -> str:
    return f"(() => {{\n'use strict';\n{_read('report.js')}}})();"


@cache
def _style() -> str:
    return "".join([colour_style(), *map(_read, ("style.css", "charts.css", "print.css"))])


@cache
def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
