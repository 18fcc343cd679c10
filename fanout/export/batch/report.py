"""The report of a batch: one HTML file that needs no network, no server and no script.

It has the look of a run's report and its walls: every text is escaped or went through the
sanitising renderer, and the file's own policy lets nothing run or load.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fanout.export.batch.report_figures import agreement, time_and_money
from fanout.export.batch.summary import Summary
from fanout.export.batch.words import (
    BATCH_STATES,
    asked_at,
    cut_off,
    done_about_it,
    facts,
    failure_rows,
    headline,
    remarks,
    row_answer,
    row_cost,
    row_state,
    tries,
)
from fanout.export.html.charts import HATCHING
from fanout.export.html.markup import Child, Markup, bdi, el
from fanout.export.html.opening import LOGO, when
from fanout.export.html.page import ALONE, Part, contents, document
from fanout.export.html.parts import chip, dotted, section, table
from fanout.render.words import seconds_text

LINE = 300
"""Characters of a text in a table of rows."""


def html_report(of: Summary) -> str:
    """A batch as one file, in whatever state it is."""
    parts: list[Part] = [
        ("asked", "What was asked", _asked(of)),
        ("results", "Results", agreement(of)),
        ("measures", "Time, tokens, cost", time_and_money(of)),
        ("mishaps", "What went wrong", _mishaps(of)),
        ("rows", "Rows", _rows(of)),
    ]
    body = el(
        "body",
        _opening(of),
        contents(parts),
        el("main", HATCHING, (part for _, _, part in parts)),
        el(
            "footer",
            el("p", dotted([f"Made with Fanout {of.batch.made_by}", ["batch ", bdi(of.batch.id)]])),
            el("p", ALONE),
        ),
    )
    return document(_title(of), body, style=_style())


def _opening(of: Summary) -> Markup:
    batch = of.batch
    state, word = BATCH_STATES[batch.state]
    said = dotted(
        [
            bdi(batch.workflow),
            when(batch.started_at or batch.created_at),
            [bdi(batch.model.model), " at ", bdi(asked_at(batch))],
        ]
    )
    return el(
        "header",
        el("div", el("p", LOGO, "Fanout ", el("span", "batch report"), class_="brand"),
           class_="top"),
        el("h1", _title(of), dir="auto"),
        el("p", chip(state, word), " ", said, class_="facts"),
        el(
            "div",
            el("p", headline(of.figures), class_="number"),
            el("p", dotted(remarks(of)), class_="means"),
            el("p", batch.why, class_="said bad") if batch.why else None,
            class_="headline",
        ),
    )  # fmt: skip


def _asked(of: Summary) -> Markup:
    pairs = (el("div", el("dt", name), el("dd", bdi(said))) for name, said in facts(of))
    card = el("div", el("dl", pairs, class_="pairs facts-table"), class_="card under")
    return section("asked", "What was asked", card)


def _mishaps(of: Summary) -> Markup | None:
    found = of.figures
    told = [el("p", words, class_="said") for words in done_about_it(found)]
    if not (found.failures or told):
        return None
    heads = ("Cause", "Rows", "First of them", "What happened, and what to do")
    rows = [[cause, n, numbers, bdi(said)] for cause, n, numbers, said in failure_rows(found)]
    return section(
        "mishaps",
        "What went wrong, and what was done",
        table(heads, rows, label="Failures by cause", numbers=(1,)) if rows else None,
        told,
    )


def _rows(of: Summary) -> Markup | None:
    if not of.rows:
        return None
    heads = ("Row", "Topic", "State", "Verdict", "Agreement", "Answer", "Time", "Cost", "Run")
    rows = []
    for record in of.rows:
        result = record.result
        state, word = row_state(record)
        agreed = None if result is None or result.agreement is None else f"{result.agreement:.0%}"
        cells: list[Child] = [
            str(record.row.number),
            line(record.row.topic),
            [chip(state, word), " ", tries(record)],
            None if result is None or result.verdict is None else bdi(result.verdict),
            agreed,
            line(row_answer(record)),
            None if result is None else seconds_text(result.wall_s),
            row_cost(record),
            None if record.run_id is None else bdi(record.run_id),
        ]
        rows.append(cells)
    shown = table(heads, rows, label="Rows of the batch", numbers=(0, 4, 6, 7))
    return section("rows", "Rows", shown, note=cut_off(of.figures) or None)


def line(text: str) -> Markup | None:
    """Somebody's text in a cell, on few lines."""
    words = " ".join(text.split())
    if not words:
        return None
    cut = words if len(words) <= LINE else f"{words[: LINE - 1]}…"
    return el("div", cut, class_="line", dir="auto")


def _title(of: Summary) -> str:
    return " ".join(of.batch.title.split())[:140] or of.batch.workflow


@cache
def _style() -> str:
    return (files("fanout.export.html") / "batch.css").read_text("utf-8")
