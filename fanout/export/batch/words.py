"""A batch in words, said the same way in its report and in its Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from fanout.batch.figures import Figures, Money, Spread
from fanout.batches import Batch, BatchState, FailureGroup, RowRecord, RowState
from fanout.budget.words import exactly
from fanout.endpoint import BUNDLED
from fanout.export.batch.summary import SHOWN, Summary, is_held
from fanout.insight.plain_text import plain
from fanout.insight.practice import counted
from fanout.render.words import cost_text, kind_word, seconds_text, usd_text
from fanout.types import Via

BATCH_STATES: Mapping[BatchState, tuple[str, str]] = {
    BatchState.RUNNING: ("running", "Running"),
    BatchState.PAUSED: ("stopped", "Paused"),
    BatchState.STOPPED: ("stopped", "Stopped"),
    BatchState.FINISHED: ("done", "Finished"),
}
"""The look of a run's chip, and the word."""
ROW_STATES: Mapping[RowState, tuple[str, str]] = {
    RowState.SUCCEEDED: ("succeeded", "Answered"),
    RowState.PARTIAL: ("partial", "In part"),
    RowState.FAILED: ("failed", "Failed"),
    RowState.STOPPED: ("stopped", "Stopped"),
    RowState.RUNNING: ("running", "At work"),
    RowState.QUEUED: ("queued", "Queued"),
    RowState.WAITING: ("queued", "Waiting"),
    RowState.SKIPPED: ("skipped", "Left out"),
}
_HELD = ("queued", "Held back")
_VIA = {Via.CALLS: "Direct calls", Via.PROVIDER: "The provider's Batch API"}


def headline(found: Figures) -> str:
    """ "1,950 of 2,000 rows answered in 12 min 5 s"."""
    wanted = found.total - found.states.get(RowState.SKIPPED, 0)
    said = f"{found.answered:,} of {counted_rows(wanted)} answered"
    return said if found.elapsed_s is None else f"{said} in {time_text(found.elapsed_s)}"


def remarks(of: Summary) -> Iterator[str]:
    """What stands below the headline."""
    found = of.figures
    if found.batch_speed_up is not None and found.batch_speed_up > 1:
        yield f"{found.batch_speed_up:.1f} times faster than all calls one after another"
    yield money_words(found.money)
    tokens = found.input_tokens + found.output_tokens
    if tokens:
        yield f"{tokens:,} tokens"
    if failed := found.states.get(RowState.FAILED, 0):
        yield f"{failed:,} failed"
    if skipped := found.states.get(RowState.SKIPPED, 0) - of.held:
        yield f"{skipped:,} left out before the start"
    if of.held:
        yield f"{of.held:,} held back for a trial"


def row_state(record: RowRecord) -> tuple[str, str]:
    """The look of a row's chip, and the word."""
    return _HELD if is_held(record) else ROW_STATES[record.state]


def state_counts(of: Summary) -> Iterator[tuple[RowState, str, int]]:
    """State, word, and how many rows; only what occurs."""
    for state, (_, word) in ROW_STATES.items():
        number = of.figures.states.get(state, 0)
        if state is RowState.SKIPPED:
            number -= of.held
        if number:
            yield state, word, number
    if of.held:
        yield RowState.SKIPPED, _HELD[1], of.held


def facts(of: Summary) -> Iterator[tuple[str, str]]:
    """What was asked, of whom, when and by whom: a name and what to say."""
    batch = of.batch
    yield "Workflow", _workflow(batch)
    yield "Model", f"{batch.model.model or 'the default'} at {asked_at(batch)}"
    yield "Topic from", f"column “{batch.topic_column}”"
    others = [name for name in batch.columns if name != batch.topic_column]
    if others:
        yield "Other columns", ", ".join(others)
    pace = f"{counted_rows(batch.concurrency)} at once"
    if batch.rows_per_minute:
        pace += f", at most {batch.rows_per_minute:,} a minute"
    yield "Pace", pace
    yield "Sent as", _VIA[batch.via]
    yield "Budget", budget_words(batch) or "none"
    yield "Made", moment(batch.created_at)
    if batch.started_at is not None:
        yield "Started", moment(batch.started_at)
    if batch.finished_at is not None:
        yield "Finished", moment(batch.finished_at)
    if of.crew:
        yield "Worked on by", "; ".join(f"{c.name} ({counted_rows(c.rows)})" for c in of.crew)
    yield "Batch", batch.id


def asked_at(batch: Batch) -> str:
    """The host that its model was asked at. One that isn't kept is told by its endpoint's id."""
    if batch.model.endpoint == BUNDLED:
        return "this machine"
    return urlsplit(batch.places.get(batch.model.endpoint, "")).netloc or batch.model.endpoint


def decided(record: RowRecord) -> str:
    """ "80% for allow", "no decision, 40% at most"."""
    result = record.result
    agreed = f"{(result.agreement if result is not None else None) or 0:.0%}"
    if result is None or result.verdict is None:
        return f"no decision, {agreed} at most"
    return f"{agreed} for {result.verdict}"


def money_words(money: Money) -> str:
    """ "$1.23", "at least $1.23: the cost of 3 rows is unknown", "≈ $1.23", "free"."""
    unknown = f"the cost of {counted_rows(money.unknown)} is unknown"
    if not money.paid:
        return unknown if money.unknown else "free" if money.free else "nothing spent"
    said = f"{'≈ ' if money.estimated else ''}{usd_text(money.usd)}"
    return f"at least {said}: {unknown}" if money.unknown else said


def budget_words(batch: Batch) -> str:
    caps = [
        exactly(batch.budget.usd) if batch.budget.usd is not None else "",
        f"{batch.budget.tokens:,} tokens" if batch.budget.tokens is not None else "",
    ]
    return " and ".join(filter(None, caps))


def held_against(of: Summary) -> Iterator[tuple[str, str, str]]:
    """Name, what was foreseen or allowed, what it came to."""
    batch, found = of.batch, of.figures
    tokens = found.input_tokens + found.output_tokens
    low, high = _usd(batch.estimate.get("low_usd")), _usd(batch.estimate.get("high_usd"))
    if low is not None and high is not None:
        span = usd_text(high) if low == high else f"{usd_text(low)} to {usd_text(high)}"
        yield "Cost, as estimated", span, f"{money_words(found.money)}{_side(of, low, high)}"
    if (foreseen := _span(batch.estimate, "low_s", "high_s")) and found.elapsed_s is not None:
        yield "Time, as estimated", foreseen, time_text(found.elapsed_s)
    if batch.budget.usd is not None:
        share = f" ({found.money.usd / batch.budget.usd:.0%})" if batch.budget.usd else ""
        said, colon, unknown = money_words(found.money).partition(":")
        yield "Budget", exactly(batch.budget.usd), f"{said}{share}{colon}{unknown}"
    if batch.budget.tokens is not None:
        share = f" ({tokens / batch.budget.tokens:.0%})" if batch.budget.tokens else ""
        yield "Budget of tokens", f"{batch.budget.tokens:,}", f"{tokens:,}{share}"


def failure_rows(found: Figures) -> Iterator[tuple[str, str, str, str]]:
    """Cause, how many, which rows first, and the newest one's words with what to do."""
    for group in found.failures:
        numbers = ", ".join(map(str, group.rows))
        more = ", …" if group.count > len(group.rows) else ""
        yield cause_word(group), f"{group.count:,}", f"{numbers}{more}", group.message


def done_about_it(found: Figures) -> Iterator[str]:
    """What was done about failures, and what can be."""
    if found.again:
        yield (
            f"{counted_rows(found.again)} {'was' if found.again == 1 else 'were'} begun more "
            "than once: tried again by hand, or taken over from a worker that went. "
            "Branches that had answered were kept."
        )
    partial = found.states.get(RowState.PARTIAL, 0)
    if partial:
        lack = "lacks" if partial == 1 else "lack"
        yield f"{counted_rows(partial)} {lack} a branch: the answer was made without it."
    if lacking := found.states.get(RowState.FAILED, 0) + partial:
        yield (
            f"“Retry {counted_rows(lacking)}” on the Batch page asks for what is missing, and only "
            "for that."
        )


def cause_word(group: FailureGroup) -> str:
    return "Cause unknown" if group.cause is None else kind_word(group.cause).capitalize()


def spread_rows(found: Figures) -> Iterator[tuple[str, Spread, str]]:
    """Name, spread, and the unit that its figures have."""
    if found.wall is not None:
        yield "Seconds a row", found.wall, "s"
    if found.tokens is not None:
        yield "Tokens a row", found.tokens, "tokens"
    if found.money.spread is not None:
        yield "Cost a row", found.money.spread, "usd"
    if found.agreement is not None:
        yield "Agreement", found.agreement, "share"


def figure(value: float, unit: str) -> str:
    """A figure with its unit, as a table says it."""
    match unit:
        case "s":
            return seconds_text(value)
        case "usd":
            return usd_text(Decimal(f"{value:.9f}"))
        case "share":
            return f"{value:.0%}"
        case _:
            return f"{value:,.0f}"


def row_cost(record: RowRecord) -> str:
    result = record.result
    if result is None:
        return ""
    return cost_text(result.cost)


def row_answer(record: RowRecord) -> str:
    """What came of a row, in a line: its answer, or why there is none."""
    if record.row.skipped:
        return record.row.skipped
    result = record.result
    return "" if result is None else plain(result.answer) or result.message


def cut_off(found: Figures) -> str:
    """What to say where not all rows are shown; "" where they are."""
    if found.total <= SHOWN:
        return ""
    return (
        f"The first {SHOWN:,} of {found.total:,} rows. Export CSV, a workbook, JSON lines or "
        "Parquet for all of them, with every column."
    )


def counted_rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def moment(unix_s: float) -> str:
    """ "2026-11-23 12:00 UTC"."""
    try:
        return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def time_text(seconds: float) -> str:
    """ "2.8 s", "12 min 5 s", "3 h 20 min", "2 d 4 h"."""
    if seconds < 3_600:
        return seconds_text(seconds)
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def tries(record: RowRecord) -> str:
    return counted(record.tries, "try", "tries") if record.tries > 1 else ""


def _workflow(batch: Batch) -> str:
    title = batch.definition.get("title")
    return f"{title} ({batch.workflow})" if isinstance(title, str) and title else batch.workflow


def _side(of: Summary, low: Decimal, high: Decimal) -> str:
    """Whether it kept to the estimate; nothing where that can't be told."""
    found = of.figures
    wanted = found.total - found.states.get(RowState.SKIPPED, 0) + of.held
    if found.money.unknown or found.ended < wanted:
        return ""
    usd = found.money.usd
    return ", below it" if usd < low else ", above it" if usd > high else ", inside it"


def _span(estimate: Mapping[str, object], low: str, high: str) -> str:
    ends = [time_text(v) for v in (estimate.get(low), estimate.get(high)) if isinstance(v, float)]
    return " to ".join(dict.fromkeys(ends))


def _usd(value: object) -> Decimal | None:
    try:
        found = Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None
