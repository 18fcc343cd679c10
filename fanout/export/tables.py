"""The numbers of a run as tables: what CSV, workbook, Markdown and Word all show.

Times are seconds, money is US dollars. A cell without a value is None: unknown is never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal, TypeAlias

from fanout.insight.practices import practices
from fanout.insight.speed import cost_usd, span_s, speed, total_cost_usd, usage, writing_rate
from fanout.insight.stretches import Part
from fanout.insight.stretches import spent as stretched
from fanout.insight.votes import outcome, voted
from fanout.render.sources import shown_answer, shown_text
from fanout.render.words import branch_word, first_token_wait_s, kind_word, run_word, state_word
from fanout.snapshot import Branch, Snapshot
from fanout.store.values import StoredRun
from fanout.types import BranchState, Failure
from fanout.voting.plans import Outcome
from fanout.voting.ranking import Ranking
from fanout.voting.scores import Scores
from fanout.voting.tally import Tally

Cell: TypeAlias = str | int | float | Decimal | None
Unit = Literal["text", "long", "count", "seconds", "usd", "share", "number"]
"""What a column holds, which decides its width and its number format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    unit: Unit = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(run: StoredRun) -> tuple[Table, ...]:
    """All but the texts: the run, its calls, their attempts, votes and measures."""
    snapshot = run.snapshot
    return (
        run_table(run),
        branches_table(snapshot),
        attempts_table(snapshot),
        votes_table(snapshot),
        measures_table(snapshot),
    )


def run_table(run: StoredRun) -> Table:
    snapshot, label = run.snapshot, run.label
    measures = speed(snapshot, snapshot.at)
    values: tuple[tuple[str, Unit, Cell], ...] = (
        ("run_id", "text", snapshot.run_id),
        ("workflow", "text", snapshot.workflow),
        ("topic", "long", snapshot.topic),
        ("name", "text", label.name),
        ("tags", "text", ", ".join(label.tags)),
        ("status", "text", run_word(snapshot.status)),
        ("started", "text", started_text(snapshot)),
        ("wall_s", "seconds", measures.wall_s),
        ("sequential_s", "seconds", measures.sequential_s),
        ("overhead_s", "seconds", measures.overhead_s),
        ("cost_usd", "usd", total_cost_usd(snapshot)),
        ("branches", "count", len(snapshot.branches)),
        ("calls", "count", sum(go.started_s is not None for go in snapshot.goes)),
    )
    columns = tuple(Column(name=name, unit=unit) for name, unit, _ in values)
    return Table(name="Run", columns=columns, rows=(tuple(value for *_, value in values),))


def started_text(snapshot: Snapshot) -> str:
    """ "2026-11-22 23:05:10 UTC"."""
    return datetime.fromtimestamp(snapshot.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


_BRANCHES = (
    Column(name="id"), Column(name="title"), Column(name="role"), Column(name="state"),
    Column(name="endpoint"), Column(name="model"), Column(name="queued_at_s", unit="seconds"),
    Column(name="in_queue_s", unit="seconds"), Column(name="held_by_rate_s", unit="seconds"),
    Column(name="held_by_pause_s", unit="seconds"), Column(name="held_by_prefix_s", unit="seconds"),
    Column(name="first_token_wait_s", unit="seconds"),
    Column(name="writing_s", unit="seconds"), Column(name="backing_off_s", unit="seconds"),
    Column(name="own_s", unit="seconds"), Column(name="total_s", unit="seconds"),
    Column(name="finished_at_s", unit="seconds"), Column(name="attempts", unit="count"),
    Column(name="goes", unit="count"), Column(name="input_tokens", unit="count"),
    Column(name="cached_tokens", unit="count"), Column(name="output_tokens", unit="count"),
    Column(name="tokens_estimated"), Column(name="tokens_per_s", unit="number"),
    Column(name="cost_usd", unit="usd"), Column(name="characters", unit="count"),
    Column(name="answered_by"), Column(name="second_requests", unit="count"), Column(name="late"),
    Column(name="failure"), Column(name="failure_message", unit="long"),
)  # fmt: skip


def branches_table(snapshot: Snapshot) -> Table:
    """A row per call, those that combine at the end; numbers over all the times it was asked."""
    late = {branch.id for branch in snapshot.late}
    rows = tuple(
        _branch_row(call, role, snapshot.at, late=call.id in late) for call, role in calls(snapshot)
    )
    return Table(name="Branches", columns=_BRANCHES, rows=rows)


def calls(snapshot: Snapshot) -> Iterator[tuple[Branch, str]]:
    """Every call as it stands, with its part in the run."""
    for branch in snapshot.branches:
        yield branch, "branch"
    for made in snapshot.aggregates:
        for call in made.before:
            yield call, "preparing"
        yield made.branch, "combining"


def _branch_row(call: Branch, role: str, now_s: float, *, late: bool) -> tuple[Cell, ...]:
    goes, used = call.goes, usage(call)
    parts = stretched(goes, now_s)
    asked = any(go.started_s is not None for go in goes)

    def spent(state: BranchState) -> float:
        return sum(go.spent_s(state, now_s) for go in goes)

    return (
        call.id, call.title, role, branch_word(call), call.plan.model.endpoint,
        call.plan.model.model, goes[0].queued_s, spent(BranchState.QUEUED),
        parts[Part.RATE], parts[Part.PAUSE], parts[Part.PREFIX],
        first_token_wait_s(call), spent(BranchState.WRITING), spent(BranchState.RETRYING),
        sum(go.own_s(now_s) for go in goes), sum(span_s(go, now_s) for go in goes),
        call.finished_s, sum(go.attempts for go in goes), len(goes),
        used.input if asked else None, used.cached if asked else None,
        used.output if asked else None, _yes(used.estimated) if asked else None,
        writing_rate(call), cost_usd(goes) if asked else None, len(call.text),
        call.answered_by.model if asked else None, sum(len(go.hedges) for go in goes), _yes(late),
        *_failure(call.failure),
    )  # fmt: skip


_ATTEMPTS = (
    Column(name="id"), Column(name="title"), Column(name="go", unit="count"),
    Column(name="attempt", unit="count"), Column(name="outcome"),
    Column(name="started_at_s", unit="seconds"), Column(name="first_token_at_s", unit="seconds"),
    Column(name="ended_at_s", unit="seconds"), Column(name="failure"),
    Column(name="failure_message", unit="long"),
)  # fmt: skip


def attempts_table(snapshot: Snapshot) -> Table:
    """A row per request that was sent, whichever time the call was asked."""
    rows = (
        (call.id, call.title, number, *attempt)
        for call in snapshot.calls
        for number, go in enumerate(call.goes, 1)
        for attempt in _attempts(go)
    )
    return Table(name="Attempts", columns=_ATTEMPTS, rows=tuple(rows))


def _attempts(go: Branch) -> Iterator[tuple[Cell, ...]]:
    number, started, first = 0, None, None
    setbacks = iter(go.setbacks)
    for phase, after in pairwise((*go.phases, None)):
        if phase is None:
            return
        match phase.state:
            case BranchState.WAITING:
                number, started, first = number + 1, phase.since_s, None
            case BranchState.WRITING:
                first = phase.since_s
            case BranchState.RETRYING:
                yield _attempt(number, "Failed", (started, first, phase.since_s), next(setbacks))
                started = None
            case _:
                pass
        ended = phase.state.finished or after is None
        if ended and started is not None:
            end = phase.since_s if phase.state.finished else None
            yield _attempt(number, state_word(phase.state), (started, first, end), go.failure)


def _attempt(
    number: int, word: str, times: Sequence[float | None], failure: Failure | None
) -> tuple[Cell, ...]:
    return (number, word, *times, *_failure(failure))


_VOTES = (
    Column(name="vote_of"), Column(name="voter"), Column(name="title"), Column(name="choice"),
    Column(name="valid"), Column(name="weight", unit="number"), Column(name="category"),
    Column(name="severity", unit="count"), Column(name="scores"), Column(name="ranking"),
    Column(name="reason", unit="long"), Column(name="problem", unit="long"),
)  # fmt: skip


def votes_table(snapshot: Snapshot) -> Table:
    """A row per ballot of each vote; empty where nobody voted."""
    rows: list[tuple[Cell, ...]] = []
    for about, _, voters in votes(snapshot):
        for voter in voters:
            ballot = voter.ballot
            if ballot is None:
                rows.append((about, voter.id, voter.title, *[None] * 8, branch_word(voter)))
                continue
            rows.append(
                (
                    about, voter.id, voter.title, ballot.choice, _yes(ballot.valid), ballot.weight,
                    ballot.category or None, ballot.severity,
                    ", ".join(f"{name} {score:g}" for name, score in ballot.scores.items()) or None,
                    " > ".join(ballot.ranking) or None, ballot.reason, ballot.problem or None,
                )
            )  # fmt: skip
    return Table(name="Votes", columns=_VOTES, rows=tuple(rows))


def votes(snapshot: Snapshot) -> Iterator[tuple[str, Outcome, tuple[Branch, ...]]]:
    """Each vote with its heading, its outcome and its voters."""
    for made in snapshot.aggregates:
        found = voted(made, snapshot)
        if found is not None:
            yield made.heading, outcome(*found), found[1]
    if not snapshot.aggregates and snapshot.vote is not None:
        yield snapshot.title, outcome(snapshot.vote, snapshot.branches), snapshot.branches


def outcome_table(result: Outcome) -> Table:
    """What the votes add up to."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    match result:
        case Tally():
            columns = (Column(name="answer"), Column(name="votes", unit="number"))
            rows = tuple(result.counts.items())
        case Scores():
            columns = (
                Column(name="criterion"), Column(name="mean", unit="number"),
                Column(name="median", unit="number"), Column(name="low", unit="number"),
                Column(name="high", unit="number"), Column(name="judges", unit="count"),
            )  # fmt: skip
            rows = tuple(
                (one.criterion.title, one.mean, one.median, one.low, one.high, one.n)
                for one in result.criteria
            )
        case Ranking():
            columns = (
                Column(name="place", unit="count"), Column(name="candidate"),
                Column(name="points", unit="number"), Column(name="ranked first", unit="count"),
                Column(name="of", unit="count"),
            )  # fmt: skip
            rows = tuple((p.place, p.candidate, p.points, p.firsts, p.of) for p in result.places)
    return Table(name="Outcome", columns=columns, rows=rows)


_MEASURES = (
    Column(name="measure"), Column(name="value"), Column(name="number", unit="number"),
    Column(name="level"), Column(name="reading", unit="long"), Column(name="advice", unit="long"),
)  # fmt: skip


def measures_table(snapshot: Snapshot) -> Table:
    """The best practices, each as measured on this run."""
    rows = tuple(
        (one.title, one.value, one.number, one.level, one.reading, one.advice)
        for one in practices(snapshot, snapshot.at)
    )
    return Table(name="Measures", columns=_MEASURES, rows=rows)


_TEXTS = (Column(name="id"), Column(name="title"), Column(name="text", unit="long"))


def texts_table(snapshot: Snapshot) -> Table:
    """Topic, every branch's text and every combined answer."""
    rows: list[tuple[Cell, ...]] = [("", "Topic", snapshot.topic)]
    rows += ((made.id, made.heading, shown_answer(made)) for made in snapshot.aggregates)
    rows += ((branch.id, branch.title, shown_text(branch)) for branch in snapshot.branches)
    return Table(name="Texts", columns=_TEXTS, rows=tuple(rows))


def _failure(failure: Failure | None) -> tuple[Cell, Cell]:
    return (None, None) if failure is None else (kind_word(failure.kind), failure.message)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
