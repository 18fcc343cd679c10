"""Batches, rows and workers in words, the same in lists, tables and what a screen reader says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from fanout.batches import Batch, BatchState, FailureGroup, Progress, RowRecord, RowState
from fanout.policies import Budget
from fanout.render.words import cost_text, kind_word, seconds_text, usd_text
from fanout.store.batch_progress import RECENT_S
from fanout.store.batch_values import SUMMED
from fanout.types import Via

NANO = 10**9
BATCH_STATES: Mapping[BatchState, str] = {
    BatchState.RUNNING: "Running",
    BatchState.PAUSED: "Paused",
    BatchState.STOPPED: "Stopped",
    BatchState.FINISHED: "Finished",
}
BATCH_ICONS: Mapping[BatchState, str] = {
    BatchState.RUNNING: ":material/play_circle:",
    BatchState.PAUSED: ":material/pause_circle:",
    BatchState.STOPPED: ":material/stop_circle:",
    BatchState.FINISHED: ":material/check_circle:",
}
ROW_STATES: Mapping[RowState, str] = {
    RowState.WAITING: "Waiting",
    RowState.QUEUED: "Queued",
    RowState.RUNNING: "At work",
    RowState.SUCCEEDED: "Answered",
    RowState.PARTIAL: "In part",
    RowState.FAILED: "Failed",
    RowState.STOPPED: "Stopped",
    RowState.SKIPPED: "Left out",
}
VIA: Mapping[Via, str] = {
    Via.CALLS: "Direct calls",
    Via.PROVIDER: "The provider's Batch API",
}
_TOLD = (
    RowState.SUCCEEDED,
    RowState.PARTIAL,
    RowState.FAILED,
    RowState.STOPPED,
    RowState.RUNNING,
)
UNDER_WAY = (RowState.QUEUED, RowState.RUNNING)


def state_word(batch: Batch, held: int = 0) -> str:
    """ "Not started" where it never was; of a trial, whose other rows are `held` back, so."""
    if held:
        over = batch.state is BatchState.FINISHED
        return "Trial over" if over else f"Trial: {BATCH_STATES[batch.state].lower()}"
    if batch.state is BatchState.PAUSED and batch.started_at is None:
        return "Not started"
    return BATCH_STATES[batch.state]


def count(number: int, one: str, several: str = "") -> str:
    """ "1 row", "5,000 rows"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def wanted(progress: Progress) -> int:
    """Rows that are to be answered."""
    return progress.total - progress.counts.get(RowState.SKIPPED, 0)


def share(progress: Progress) -> float:
    """Of the rows that are wanted, how many have ended: 0 to 1."""
    return min(1.0, progress.ended / wanted(progress)) if wanted(progress) else 0.0


def waiting(progress: Progress) -> int:
    """Rows that nobody has begun, whether they stand in a worker's queue or not."""
    return sum(progress.counts.get(state, 0) for state in (RowState.WAITING, RowState.QUEUED))


def ended_text(progress: Progress) -> str:
    """ "412 of 5,000 rows ended · 398 answered · 9 in part · 5 failed"."""
    parts = [f"{progress.ended:,} of {count(wanted(progress), 'row')} ended"]
    parts += [
        f"{number:,} {ROW_STATES[state].lower()}"
        for state in _TOLD
        if (number := progress.counts.get(state, 0))
    ]
    return " · ".join(parts)


def time_text(seconds: float) -> str:
    """For spans that are only about right: "under 1 min", "12 min", "3 h 20 min", "2 days 5 h"."""
    minutes = round(seconds / 60)
    if seconds < 55:
        return "under 1 min"
    if minutes < 60:
        return f"{max(1, minutes)} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h"


def about(span: str) -> str:
    """ "about 12 min"; "under 1 min" says it already."""
    return span if span.startswith("under") else f"about {span}"


def remaining_text(progress: Progress) -> str:
    """How long it will take, with what that is known from."""
    if not progress.left:
        return ""
    if progress.via is Via.PROVIDER:
        return "The provider answers a batch within 24 hours, often sooner"
    rate, left_s = progress.rows_per_minute, progress.remaining_s
    if rate is None or left_s is None:
        if progress.ended < 2:
            return "How long it takes is known once two rows have ended"
        if progress.recent_s < RECENT_S:
            return "How long it takes is known once two more rows have ended"
        return f"No two rows ended within the last {round(progress.recent_s / 60)} minutes"
    since_s = progress.recent_s
    over = seconds_text(since_s) if since_s < 60 else time_text(since_s)
    return (
        f"{about(time_text(left_s)).capitalize()} left, at {rate_text(rate)} "
        f"({count(progress.recent, 'row')} ended in the last {over})"
    )


def waiting_again(asked: int, progress: Progress) -> str:
    """Of rows that are to be asked again once their batch is resumed."""
    others = progress.halted_left - asked
    them = "it" if asked == 1 else "them"
    more = f" and with {count(others, 'other row')}" if others > 0 else ""
    return f"{count(asked, 'row')} waiting to be asked again. Resume goes on with {them}{more}."


def added_text(batch: Batch) -> str:
    """When rows are asked that come to it now."""
    match batch.state:
        case BatchState.RUNNING:
            return "They wait for their turn behind the rows that are there."
        case BatchState.FINISHED:
            return "The batch had finished; it goes on with them at once."
        case BatchState.PAUSED | BatchState.STOPPED:
            return "They wait until the batch is started or resumed."


def rate_text(rows_per_minute: float) -> str:
    """ "34 rows a minute", "2.5 rows a minute"."""
    said = f"{rows_per_minute:.1f}" if rows_per_minute < 9.95 else f"{rows_per_minute:,.0f}"
    return f"{said} rows a minute"


def spent_text(progress: Progress, budget: Budget, *, free: bool = False) -> str:
    """What the calls of ended rows cost; under a budget in dollars, all that counts against it."""
    nano = progress.cost_under(budget)
    known = usd_text(Decimal(nano) / NANO)
    if progress.unknown_costs and not nano:
        return "unknown"
    # Rows that all failed cost nothing anywhere; only an answer for nothing is free.
    if free and progress.answered and not nano:
        return "free"
    # More was spent where some of it isn't known.
    sign = "≥ " if progress.unknown_costs else "≈ " if progress.estimated_costs else ""
    return f"{sign}{known}"


def spent_of(capped: bool) -> str:
    """Which calls a figure is of."""
    if capped:
        return "Of all calls that have ended, as they count against the budget."
    return "Of rows that have ended. Those under way are added when they end."


def unknown_text(progress: Progress) -> str:
    """ "the cost of 8 rows is unknown"; "" where all is known."""
    if not progress.unknown_costs:
        return ""
    return f"the cost of {count(progress.unknown_costs, 'row')} is unknown"


def usd_cap(batch: Batch) -> str:
    """ "of at most $5.00"; "" without a cap."""
    return f"of at most {usd_text(batch.budget.usd)}" if batch.budget.usd is not None else ""


def token_cap(batch: Batch) -> str:
    """ "of at most 1,000,000"; "" without a cap."""
    return f"of at most {batch.budget.tokens:,}" if batch.budget.tokens is not None else ""


def row_cost(record: RowRecord) -> str:
    result = record.result
    if result is None:
        return ""
    cost = result.cost
    if cost is not None and not cost.usd and cost.price.source == SUMMED.source:
        return usd_text(cost.usd)
    return cost_text(cost)


def cause_text(group: FailureGroup) -> str:
    """What the rows of a group failed of, in two or three words."""
    return kind_word(group.cause).capitalize() if group.cause is not None else "Cause unknown"


def pace_text(batch: Batch) -> str:
    """ "4 rows at once · at most 60 a minute"."""
    limit = f" · at most {batch.rows_per_minute:,} a minute" if batch.rows_per_minute else ""
    return f"{count(batch.concurrency, 'row')} at once{limit}"
