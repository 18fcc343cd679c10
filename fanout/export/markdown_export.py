"""A run as a Markdown document for people: the answer first, then what it was made of.

What models and people wrote stands in sections of ours and can't leave them (`markdown_text`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanout.export.markdown_text import fenced, line_text, section_text
from fanout.export.tables import (
    Cell,
    Table,
    Unit,
    measures_table,
    outcome_table,
    votes,
    votes_table,
)
from fanout.export.tables_words import facts, failures, numbers_table, sources
from fanout.render.sources import shown_answer, shown_text
from fanout.render.words import branch_word, metric_line
from fanout.snapshot import Aggregate, Snapshot
from fanout.store.values import StoredRun


def markdown_export(run: StoredRun) -> str:
    """The whole run; nothing in it is loaded from anywhere."""
    return "\n".join(_lines(run)).rstrip("\n") + "\n"


def _lines(run: StoredRun) -> Iterator[str]:
    snapshot = run.snapshot
    yield f"# {line_text(run.label.name or snapshot.topic, 120)}\n"
    yield from _facts(run)
    yield "\n## Topic\n"
    yield section_text(snapshot.topic, 2)
    for made in snapshot.aggregates:
        yield from _answer(made, snapshot)
    yield "## Branches\n"
    for branch in snapshot.branches:
        yield f"### {line_text(branch.title, 80)}\n"
        yield f"{line_text(branch_word(branch))} · {metric_line(branch, snapshot.at)}\n"
        yield section_text(shown_text(branch), 3) or "*No text.*\n"
    yield from _votes(snapshot)
    yield "## Times, tokens and costs\n"
    yield from _table(numbers_table(snapshot))
    yield from _failures(snapshot)
    yield "\n## How well it went parallel\n"
    yield from _table(measures_table(snapshot), left_out=("number",))
    yield "\n## Prompts\n"
    for call in snapshot.calls:
        yield f"### {line_text(call.title, 80)} (`{call.plan.model.model.replace('`', '')}`)\n"
        for message in call.plan.messages:
            yield f"{message.role.title()}:\n\n{fenced(message.content, 'text')}"


def _facts(run: StoredRun) -> Iterator[str]:
    for name, value in facts(run):
        yield f"- {name}: {line_text(value, 2_000)}"


def _answer(made: Aggregate, snapshot: Snapshot) -> Iterator[str]:
    yield f"## {line_text(made.shown.heading)}\n"
    text = section_text(shown_answer(made), 2)
    yield text or "*No text.*\n"
    if made.passages:
        for number, one in enumerate(made.passages, 1):
            place = f", {line_text(one.passage.place)}" if one.passage.place else ""
            yield f"- \\[{number}\\] {line_text(one.passage.title)}{place}"
        yield ""
    for sentence in sources(made, snapshot):
        yield f"- {line_text(sentence, 600)}"
    yield ""


def _votes(snapshot: Snapshot) -> Iterator[str]:
    found = list(votes(snapshot))
    if not found:
        return
    yield "## Votes\n"
    for heading, outcome, _ in found:
        yield f"{line_text(heading)}:\n"
        yield from _table(outcome_table(outcome))
        yield ""
    yield from _table(votes_table(snapshot), left_out=("vote_of", "voter"))
    yield ""


def _failures(snapshot: Snapshot) -> Iterator[str]:
    told = list(failures(snapshot))
    if told:
        yield "\n## Failures\n"
        for title, sentence in told:
            yield f"- {line_text(title)}: {line_text(sentence, 1_000)}"


def _table(table: Table, left_out: Sequence[str] = ()) -> Iterator[str]:
    """The table as Markdown, without columns that hold nothing."""
    kept = [
        i
        for i, column in enumerate(table.columns)
        if column.name not in left_out and any(row[i] not in (None, "") for row in table.rows)
    ]
    columns = [table.columns[i] for i in kept]
    titles = [column.name.replace("_", " ") for column in columns]
    yield f"| {' | '.join(line_text(t[:1].upper() + t[1:]) for t in titles)} |"
    yield f"|{'|'.join('---' if c.unit in ('text', 'long') else '---:' for c in columns)}|"
    for row in table.rows:
        cells = (_cell(row[i], table.columns[i].unit) for i in kept)
        yield f"| {' | '.join(cells)} |"


def _cell(cell: Cell, unit: Unit) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return line_text(cell, 600)
    return f"{cell:,}" if unit == "count" else f"{float(cell):.4g}"
