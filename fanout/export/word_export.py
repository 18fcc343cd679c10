"""A run as a Word document: the answer first, then branches, numbers, failures and prompts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as DocumentObject
from docx.shared import Pt, RGBColor

from fanout.export.tables import Table, measures_table, outcome_table, votes, votes_table
from fanout.export.tables_words import facts, failures, numbers_table, sources
from fanout.export.word_text import add_code, add_markdown, add_table, add_text, fit
from fanout.render.sources import shown_answer, shown_text
from fanout.render.words import branch_word, metric_line
from fanout.snapshot import Aggregate, Snapshot
from fanout.store.values import StoredRun

_TITLE = 120
_HEADING = 80


def docx_export(run: StoredRun) -> bytes:
    """Nothing in it links or loads; right-to-left paragraphs run right to left."""
    document = Document()
    _set_up(document, run)
    snapshot = run.snapshot
    _heading(document, run.label.name or snapshot.topic, 0, _TITLE)
    for name, value in facts(run):
        _bullet(document, f"{name}: {value}")
    for made in snapshot.aggregates:
        _answer(document, made, snapshot)
    _heading(document, "Topic", 1)
    add_markdown(document, snapshot.topic, 1)
    _heading(document, "Branches", 1)
    for branch in snapshot.branches:
        _heading(document, branch.title, 2)
        _note(document, f"{branch_word(branch)} · {metric_line(branch, snapshot.at)}")
        add_markdown(document, shown_text(branch) or "*No text.*", 2)
    _votes(document, snapshot)
    _heading(document, "Times, tokens and costs", 1)
    _table(document, numbers_table(snapshot))
    told = list(failures(snapshot))
    if told:
        _heading(document, "Failures", 1)
        for title, sentence in told:
            _bullet(document, f"{title}: {sentence}")
    _heading(document, "How well it went parallel", 1)
    _table(document, measures_table(snapshot), left_out=("number",))
    _prompts(document, snapshot)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_up(document: DocumentObject, run: StoredRun) -> None:
    properties = document.core_properties
    properties.title = fit(run.label.name or run.snapshot.topic, _TITLE)
    properties.author = "Fanout"
    properties.comments = ""
    properties.created = datetime.fromtimestamp(run.snapshot.started_at, UTC)
    properties.modified = properties.created
    font = document.styles["Normal"].font
    font.name, font.size = "Calibri", Pt(10.5)


def _answer(document: DocumentObject, made: Aggregate, snapshot: Snapshot) -> None:
    _heading(document, made.shown.heading, 1, 2 * _TITLE)
    add_markdown(document, shown_answer(made) or "*No text.*", 1)
    for number, one in enumerate(made.shown.passages, 1):
        place = f", {one.passage.place}" if one.passage.place else ""
        add_text(document.add_paragraph(), f"[{number}] {one.passage.title}{place}")
    for sentence in sources(made, snapshot):
        _note(document, sentence)


def _votes(document: DocumentObject, snapshot: Snapshot) -> None:
    found = list(votes(snapshot))
    if not found:
        return
    _heading(document, "Votes", 1)
    for heading, outcome, _ in found:
        add_text(document.add_paragraph(style="Caption"), heading)
        _table(document, outcome_table(outcome))
    document.add_paragraph()
    _table(document, votes_table(snapshot), left_out=("vote_of", "voter"))


def _prompts(document: DocumentObject, snapshot: Snapshot) -> None:
    _heading(document, "Prompts", 1)
    for call in snapshot.calls:
        _heading(document, f"{call.title} ({call.plan.model.model})", 2)
        for message in call.plan.messages:
            _note(document, message.role.title())
            add_code(document, message.content)


def _heading(document: DocumentObject, text: str, level: int, limit: int = _HEADING) -> None:
    add_text(document.add_heading(level=level), " ".join(fit(text, limit).split()))


def _bullet(document: DocumentObject, text: str) -> None:
    add_text(document.add_paragraph(style="List Bullet"), " ".join(text.split()))


def _note(document: DocumentObject, text: str) -> None:
    run = add_text(document.add_paragraph(), " ".join(text.split()))
    run.font.size, run.font.color.rgb = Pt(9), RGBColor(0x5A, 0x60, 0x6B)


def _table(document: DocumentObject, table: Table, left_out: Sequence[str] = ()) -> None:
    """The columns that hold anything."""
    kept = [
        i
        for i, column in enumerate(table.columns)
        if column.name not in left_out and any(row[i] not in (None, "") for row in table.rows)
    ]
    titles = [table.columns[i].name.replace("_", " ") for i in kept]
    add_table(
        document,
        [title[:1].upper() + title[1:] for title in titles],
        [[_cell(row[i]) for i in kept] for row in table.rows],
        right=[table.columns[i].unit not in ("text", "long") for i in kept],
    )


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
