"""The report of a batch as Markdown, for notes and wikis: nothing in it leaves its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fanout.batches import RowRecord
from fanout.export.batch.summary import Summary
from fanout.export.batch.words import (
    BATCH_STATES,
    cut_off,
    decided,
    done_about_it,
    facts,
    failure_rows,
    figure,
    headline,
    held_against,
    remarks,
    row_answer,
    row_cost,
    row_state,
    spread_rows,
    state_counts,
)
from fanout.export.markdown_text import line_text
from fanout.render.words import seconds_text

LINE = 160


def markdown_report(of: Summary) -> str:
    """The same as the HTML report tells, without charts."""
    return "\n".join(_lines(of)) + "\n"


def _lines(of: Summary) -> Iterator[str]:
    found = of.figures
    yield f"# {line_text(of.batch.title) or line_text(of.batch.workflow)}"
    yield ""
    yield f"**{BATCH_STATES[of.batch.state][1]}: {headline(found)}.** {'; '.join(remarks(of))}."
    if of.batch.why:
        yield ""
        yield line_text(of.batch.why, 1_000)
    yield from _section("What was asked", _asked(of))
    yield from _section("Results", _results(of))
    yield from _section("Time, tokens and cost", _measures(of))
    yield from _section("What went wrong, and what was done", _mishaps(of))
    yield from _section("Rows", _rows(of))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield from ("", f"## {title}", "", *told)


def _asked(of: Summary) -> Iterator[str]:
    for name, said in facts(of):
        yield f"- {name}: {line_text(said, 500)}"


def _results(of: Summary) -> Iterator[str]:
    found = of.figures
    if not found.total:
        return
    states = [(word, f"{number:,}") for _, word, number in state_counts(of)]
    yield from _table(("State", "Rows"), states, right=(1,))
    if found.voted:
        verdicts = [
            ("No decision" if v.verdict is None else v.verdict, f"{v.count:,}", f"{v.share:.0%}")
            for v in found.verdicts
        ]
        if found.other_verdicts:
            share = f"{found.other_verdicts / found.voted:.0%}"
            verdicts.append(("All others", f"{found.other_verdicts:,}", share))
        yield ""
        yield from _table(("Verdict", "Rows", "Share"), verdicts, right=(1, 2))
    for title, records in (("Agreed least", of.least_agreed), ("Agreed most", of.most_agreed)):
        if records:
            yield from ("", f"### {title}", "", *map(_extreme, records))


def _extreme(record: RowRecord) -> str:
    said = line_text(decided(record))
    return f"- Row {record.row.number}, {said}: {line_text(record.row.topic)}"


def _measures(of: Summary) -> Iterator[str]:
    spreads = [
        (name, *(figure(value, unit) for value in (s.mean, s.least, s.p50, s.p90, s.p99, s.most)))
        for name, s, unit in spread_rows(of.figures)
    ]
    heads = ("", "Mean", "Least", "Half below", "90 % below", "99 % below", "Most")
    if spreads:
        yield from _table(heads, spreads, right=range(1, 7))
    against = list(held_against(of))
    if against:
        yield ""
        yield from _table(("", "Foreseen or allowed", "Came to"), against)


def _mishaps(of: Summary) -> Iterator[str]:
    rows = list(failure_rows(of.figures))
    if rows:
        heads = ("Cause", "Rows", "First of them", "What happened, and what to do")
        yield from _table(heads, rows, right=(1,))
    told = list(done_about_it(of.figures))
    if rows and told:
        yield ""
    yield from (f"- {words}" for words in told)


def _rows(of: Summary) -> Iterator[str]:
    if not of.rows:
        return
    if note := cut_off(of.figures):
        yield from (note, "")
    heads = ("Row", "Topic", "State", "Verdict", "Agreement", "Answer", "Time", "Cost")
    yield from _table(heads, map(_row, of.rows), right=(0, 4, 6, 7))


def _row(record: RowRecord) -> tuple[str, ...]:
    result = record.result
    return (
        str(record.row.number),
        record.row.topic,
        row_state(record)[1],
        "" if result is None else result.verdict or "",
        "" if result is None or result.agreement is None else f"{result.agreement:.0%}",
        row_answer(record),
        "" if result is None else seconds_text(result.wall_s),
        row_cost(record),
    )


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()
) -> Iterator[str]:
    numbers = set(right)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---:' if i in numbers else '---' for i in range(len(heads)))}|"
    for row in rows:
        yield f"| {' | '.join(line_text(cell, LINE) for cell in row)} |"
