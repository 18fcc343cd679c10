"""The numbers of a comparison, row by row, the better value marked in words where one is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from components.compare.sides import Side, call_of
from components.compare.ways import AFTER, how
from fanout.insight.practices import measured, run_independence
from fanout.insight.speed import cost_usd, span_s, speed, total_cost_usd, usage, writing_rate
from fanout.insight.votes import run_outcome
from fanout.render.words import (
    branch_word,
    first_token_wait_s,
    money_text,
    rate_text,
    run_word,
    seconds_text,
)
from fanout.snapshot import Branch
from fanout.types import BranchState, RunStatus, Usage
from fanout.voting.plans import Outcome
from fanout.voting.ranking import Ranking
from fanout.voting.scores import Scores
from fanout.voting.tally import Tally
from fanout.voting.words import verdict

NONE = "–"
UNKNOWN = "unknown"
_WHOLE = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure of every side."""

    title: str
    values: tuple[str, ...]
    """As they are shown."""
    better: int | None = None
    """Index of the one value that is better than all others; None where none is."""
    word: str = ""
    """What makes it better: "shortest"."""

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(
            f"{value} · {self.word}" if i == self.better else value
            for i, value in enumerate(self.values)
        )


def rows(sides: Sequence[Side]) -> tuple[Row, ...]:
    """Every measure that at least one side has: of whole runs, or of single calls."""
    found = _of_calls(sides) if any(one.call for one in sides) else _of_runs(sides)
    return tuple(row for row in found if any(value != NONE for value in row.values))


def frame(sides: Sequence[Side]) -> pd.DataFrame:
    """A row per measure and a column per side."""
    found = rows(sides)
    columns = {one.name: [row.shown[i] for row in found] for i, one in enumerate(sides)}
    return pd.DataFrame({"Measure": [row.title for row in found], **columns})


def run_usage(one: Side) -> Usage:
    """Tokens of all its calls."""
    return sum((usage(call) for call in one.snapshot.calls), Usage())


def _of_runs(sides: Sequence[Side]) -> list[Row]:
    """A run that didn't come to its end can't be the shortest or the cheapest."""
    ended = [one.snapshot.status in _WHOLE for one in sides]
    speeds = [speed(one.snapshot, one.now_s) for one in sides]
    firsts = [_first_token_s(one) for one in sides]
    costs = [_dollars(total_cost_usd(one.snapshot)) for one in sides]
    tokens = [run_usage(one) for one in sides]
    states = tuple("Still running" if one.live else run_word(one.snapshot.status) for one in sides)
    return [
        Row(title="State", values=states),
        _row("Time", [s.wall_s for s in speeds], seconds_text, ended, "shortest"),
        _row("Its calls one after another", [s.sequential_s for s in speeds], seconds_text),
        _row("Times faster than that", [s.ratio for s in speeds], lambda r: f"{r:.1f}×"),
        _row("First words", firsts, seconds_text, ended, "soonest"),
        _row("Calls", [_calls(one) for one in sides], _count),
        _row("Failed branches", [_failed(one) for one in sides], _count, ended, "fewest"),
        _row("Tokens read", [t.input for t in tokens], _count, ended, "fewest"),
        _row("Tokens written", [t.output for t in tokens], _count),
        _row("Cost", costs, _money, ended, "cheapest", missing=UNKNOWN),
        *_votes(sides),
        *_practices(sides, ended),
    ]


def _of_calls(sides: Sequence[Side]) -> list[Row]:
    calls = [_call(one) for one in sides]
    ended = [call is not None and call.state.succeeded for call in calls]
    pairs = list(zip(calls, sides, strict=True))
    return [
        Row(title="State", values=tuple(branch_word(c) if c else NONE for c in calls)),
        _row("Time", [span_s(c, s.now_s) if c else None for c, s in pairs], seconds_text, ended,
             "shortest"),
        _row("Waited for a slot", [_queued_s(c, s.now_s) for c, s in pairs], seconds_text),
        _row("First token after", [first_token_wait_s(c) if c else None for c in calls],
             seconds_text, ended, "soonest"),
        _row("Speed", [writing_rate(c) if c else None for c in calls], rate_text, ended, "fastest",
             better=max),
        _row("Tokens read", [usage(c).input if c else None for c in calls], _count, ended,
             "fewest"),
        _row("Tokens written", [usage(c).output if c else None for c in calls], _count),
        _row("Cost", [_dollars(cost_usd(c.goes)) if c else None for c in calls], _money, ended,
             "cheapest", missing=UNKNOWN),
        Row(title="Reason it gave", values=tuple(_reason(call) for call in calls)),
    ]  # fmt: skip


def _call(one: Side) -> Branch | None:
    """Beside single calls, a whole run is measured by the call that its answer comes from."""
    if one.call:
        return call_of(one.snapshot, one.call)
    made, branches = one.snapshot.aggregate, one.snapshot.branches
    if made is not None:
        return made.branch
    return branches[0] if len(branches) == 1 else None


def _row(
    title: str,
    values: Sequence[float | None],
    text: Callable[[float], str],
    counts: Sequence[bool] = (),
    word: str = "",
    *,
    better: Callable[[list[float]], float] = min,
    missing: str = NONE,
) -> Row:
    """A row of numbers. One is better only if it also reads better: 2.84 s and 2.81 s are equal."""
    shown = tuple(missing if value is None else text(value) for value in values)
    fit = [i for i, value in enumerate(values) if value is not None and counts and counts[i]]
    best: int | None = None
    if word and len(fit) > 1:
        wanted = better([value for i in fit if (value := values[i]) is not None])
        winners = [i for i in fit if shown[i] == shown[list(values).index(wanted)]]
        best = winners[0] if len(winners) == 1 else None
    return Row(title=title, values=shown, better=best, word=word)


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _dollars(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)


def _money(usd: float) -> str:
    return money_text(Decimal(str(usd)))


def _first_token_s(one: Side) -> float | None:
    firsts = [b.first_token_s for b in one.snapshot.calls if b.first_token_s is not None]
    return min(firsts, default=None)


def _calls(one: Side) -> int:
    return sum(go.started_s is not None for go in one.snapshot.goes)


def _failed(one: Side) -> int:
    return sum(
        b.state in (BranchState.FAILED, BranchState.TIMED_OUT) for b in one.snapshot.branches
    )


def _queued_s(call: Branch | None, now_s: float) -> float | None:
    return call.spent_s(BranchState.QUEUED, now_s) if call else None


def _reason(call: Branch | None) -> str:
    return (call.ballot.reason if call and call.ballot else "") or NONE


def _votes(sides: Sequence[Side]) -> list[Row]:
    outcomes = [run_outcome(one.snapshot) for one in sides]
    return [
        Row(title="Vote", values=tuple(verdict(o) if o else NONE for o in outcomes)),
        Row(title="Agreement", values=tuple(_agreement(o) for o in outcomes)),
    ]


def _agreement(outcome: Outcome | None) -> str:
    match outcome:
        case Tally() if outcome.agreement is not None:
            return f"{outcome.agreement:.0%} of the votes"
        case Scores() if outcome.alpha is not None:
            return f"alpha {outcome.alpha:.2f}"
        case Ranking() if outcome.tau is not None:
            return f"tau {outcome.tau:.2f}"
        case _:
            return NONE


def _practices(sides: Sequence[Side], ended: Sequence[bool]) -> list[Row]:
    """The insight measures; only those are ranked whose scale is the same for every run."""
    independences = [run_independence(one.snapshot) for one in sides]
    found = [
        {p.id: p for p in measured(one.snapshot, one.now_s, independence)}
        for one, independence in zip(sides, independences, strict=True)
    ]
    shares = [None if i is None else i.share for i in independences]
    voting = any(one.snapshot.vote is not None for one in sides)
    ranked: list[tuple[str, Sequence[float | None], str, Callable[[list[float]], float]]] = [
        ("independence", shares, "" if voting else "most varied", max),
        ("balance", [f["balance"].number for f in found], "most even", min),
        ("overhead", [f["overhead"].number for f in found], "", min),
        ("rate_limit", [f["rate_limit"].number for f in found], "least", min),
    ]
    made = []
    for name, numbers, word, better in ranked:
        plain = _row("", numbers, lambda n: f"{n:.2f}", ended, word, better=better)
        values = tuple(
            # What a branch waits for the one before it is the way it was asked, and no overhead.
            NONE if name == "overhead" and how(one.snapshot) == AFTER else f[name].value
            for one, f in zip(sides, found, strict=True)
        )
        title = found[0][name].title
        best = plain.better
        if best is not None and values.count(values[best]) > 1:
            best = None
        made.append(Row(title=title, values=values, better=best, word=word))
    return made
