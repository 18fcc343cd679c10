"""The figures of a batch as charts and tables: what was decided, how long it took, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from fanout.batch.figures import Bin, Figures, Stretch
from fanout.batches import RowRecord, RowState
from fanout.export.batch.charts import Bar, Upright, figure_card, lying, standing
from fanout.export.batch.summary import Summary
from fanout.export.batch.words import (
    counted_rows,
    decided,
    figure,
    held_against,
    money_words,
    spread_rows,
    state_counts,
)
from fanout.export.html.marking import fitted
from fanout.export.html.markup import Markup, bdi, el
from fanout.export.html.parts import folded, section, table
from fanout.render.markdown import render

LONGEST_NAME = 60


def agreement(of: Summary) -> Markup | None:
    """States, verdicts and how far voters agreed; None before there are rows."""
    found = of.figures
    if not found.total:
        return None
    return section(
        "results",
        "Results",
        figure_card("Rows by state", lying(list(_states(of)), title="Rows by state")),
        el("div", _verdicts(found), _agreement(found), class_="two") if found.voted else None,
        _extremes("Agreed least", of.least_agreed, of),
        _extremes("Agreed most", of.most_agreed, of),
    )


def time_and_money(of: Summary) -> Markup | None:
    """Charts of time and cost, their percentiles, and both against what was foreseen."""
    found = of.figures
    if not found.ended:
        return None
    return section(
        "measures",
        "Time, tokens and cost",
        _over_time(found.over_time),
        el("div", _walls(found), _costs(found), class_="two"),
        el("h3", "From row to row"),
        _spreads(found),
        _against(of),
    )


def _states(of: Summary) -> Iterator[Bar]:
    for state, word, number in state_counts(of):
        look = {RowState.FAILED: "lost", RowState.SUCCEEDED: "writing"}.get(state, "waiting")
        share = number / of.figures.total
        yield Bar(name=word, share=share, value=f"{number:,}", look=look)


def _verdicts(found: Figures) -> Markup:
    bars = [
        Bar(
            name=_cut(one.verdict) if one.verdict is not None else "No decision",
            share=one.share,
            value=f"{one.count:,} ({one.share:.0%})",
            look="waiting" if one.verdict is None else "writing",
        )
        for one in found.verdicts
    ]
    if found.other_verdicts:
        share = found.other_verdicts / found.voted
        value = f"{found.other_verdicts:,} ({share:.0%})"
        bars.append(Bar(name="All others", share=share, value=value, look="waiting"))
    return figure_card("Verdicts", lying(bars, title="Verdicts"))


def _agreement(found: Figures) -> Markup | None:
    if found.agreement is None:
        return None
    bars = [
        Upright(name=f"{one.low:.0%} to {one.high:.0%}", count=one.count)
        for one in found.agreement_bins
    ]
    return figure_card(
        "Agreement",
        standing(
            bars,
            title="Rows by the winner's share of the ballots",
            axis=("0 %", "50 %", "100 %"),
            heads=("Winner's share", "Rows"),
        ),
    )


def _extremes(title: str, records: Sequence[RowRecord], of: Summary) -> list[Markup]:
    """Worth reading: where voters were furthest apart, and where they were closest."""
    if of.figures.agreement is None or of.figures.agreement.n < 2 * len(records):
        return []
    return [el("h3", title), *map(_extreme, records)]


def _extreme(record: RowRecord) -> Markup:
    result = record.result
    assert result is not None, "only rows that were voted on are among them"
    head = [f"Row {record.row.number}, {decided(record)}: ", bdi(_cut(record.row.topic))]
    answer = el("div", fitted(render(result.answer)), class_="text") if result.answer else None
    topic = el("p", record.row.topic, dir="auto", class_="asis")
    return folded(head, topic, answer, printed=True)


def _over_time(stretches: Sequence[Stretch]) -> Markup | None:
    if len(stretches) < 2:
        return None
    first, last = stretches[0], stretches[-1]
    clock = "%H:%M:%S" if last.at - first.at < 86_400 else "%d %B, %H:%M"
    bars = [
        Upright(name=_clock(one.at, clock), count=one.ended, lost=one.failed) for one in stretches
    ]
    return figure_card(
        "Rows over time",
        el("p", f"Rows that ended in each {_each(first.seconds)} (UTC); hatched: failed.",
           class_="hold"),
        standing(
            bars,
            title=f"Rows that ended in each {_each(first.seconds)}",
            axis=(_clock(first.at, clock), _clock(last.at + last.seconds, clock)),
            heads=("From", "Rows", "Failed"),
        ),
    )  # fmt: skip


def _walls(found: Figures) -> Markup | None:
    if found.wall is None:
        return None
    return figure_card(
        "Time a row",
        _histogram(found.wall_bins, "s", "Rows by the time that they took", "Time"),
    )


def _costs(found: Figures) -> Markup:
    if found.money.spread is None:
        said = money_words(found.money).capitalize()
        return figure_card("Cost a row", el("p", f"{said}.", class_="hold"))
    return figure_card(
        "Cost a row",
        _histogram(found.money.bins, "usd", "Rows by what they cost", "Cost"),
        _unpaid(found),
    )


def _unpaid(found: Figures) -> Markup | None:
    parts = []
    if found.money.free:
        parts.append(f"{counted_rows(found.money.free)} cost nothing")
    if found.money.unknown:
        parts.append(f"the cost of {counted_rows(found.money.unknown)} is unknown")
    return el("p", f"Not drawn: {'; '.join(parts)}.", class_="hold") if parts else None


def _histogram(bins: Sequence[Bin], unit: str, title: str, head: str) -> Markup:
    bars = [
        Upright(name=f"{figure(one.low, unit)} to {figure(one.high, unit)}", count=one.count)
        for one in bins
    ]
    middle = bins[len(bins) // 2].low
    axis = (figure(0, unit), figure(middle, unit), figure(bins[-1].high, unit))
    return standing(bars, title=title, axis=axis, heads=(head, "Rows"))


def _spreads(found: Figures) -> Markup | None:
    rows = [
        [name, *(figure(value, unit) for value in (s.mean, s.least, s.p50, s.p90, s.p99, s.most))]
        for name, s, unit in spread_rows(found)
    ]
    if not rows:
        return None
    heads = ("", "Mean", "Least", "Half below", "90 % below", "99 % below", "Most")
    return table(heads, rows, label="Spread over the rows", numbers=range(1, 7))


def _against(of: Summary) -> list[Markup]:
    rows = [list(one) for one in held_against(of)]
    if not rows:
        return []
    heads = ("", "Foreseen or allowed", "Came to")
    told = [
        el("h3", "Against the estimate and the budget"),
        table(heads, rows, label="Cost and time against the estimate and the budget"),
    ]
    basis = of.batch.estimate.get("basis")
    if isinstance(basis, str) and basis:
        told.append(el("p", f"The estimate is from {basis}.", class_="hold"))
    return told


def _each(seconds: float) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return unit if number == 1 else f"{number} {unit}s"
    return "second" if seconds == 1 else f"{seconds:g} seconds"


def _clock(unix_s: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime(form)
    except (ValueError, OverflowError, OSError):
        return "?"


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"
