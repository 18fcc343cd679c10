"""The figures over a batch, as values: what charts, reports and tables of it are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from fanout.batches import FailureGroup, RowState

_ANSWERED = (RowState.SUCCEEDED, RowState.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How figures of rows are spread; percentiles lie between the two next rows."""

    n: int
    mean: float
    least: float
    p50: float
    p90: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many rows lie from `low` on and below `high`; the last bin has all from there on."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictShare:
    verdict: str | None
    """None: a vote without a decision."""
    count: int
    share: float
    """Of all rows that were voted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    usd: Decimal = Decimal(0)
    """Of all rows whose cost is known, those that failed among them."""
    paid: int = 0
    """Rows that cost something, and it is known what."""
    free: int = 0
    """Rows that were answered for nothing."""
    unknown: int = 0
    estimated: int = 0
    """Rows, among the paid and the free ones, whose usage was estimated."""
    spread: Spread | None = None
    """Dollars a row, of the paid ones."""
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time: rows that ended in it."""

    at: float
    """Unix time of its beginning."""
    seconds: float
    ended: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    states: Mapping[RowState, int] = field(default_factory=dict)
    """Only those that occur."""
    voted: int = 0
    verdicts: tuple[VerdictShare, ...] = ()
    """Most frequent first; at most `MOST_VERDICTS`."""
    other_verdicts: int = 0
    """Rows whose verdict is not among these."""
    agreement: Spread | None = None
    agreement_bins: tuple[Bin, ...] = ()
    """Tenths from 0 to 1."""
    money: Money = field(default_factory=Money)
    wall: Spread | None = None
    """Seconds a row, of those that were answered."""
    wall_bins: tuple[Bin, ...] = ()
    tokens: Spread | None = None
    """Input and output together, of those that were answered."""
    input_tokens: int = 0
    output_tokens: int = 0
    failures: tuple[FailureGroup, ...] = ()
    """Rows that failed, by cause, most frequent first."""
    again: int = 0
    """Rows that were begun more than once."""
    sequential_s: float = 0.0
    """The own times of all calls, one after another."""
    wall_sum_s: float = 0.0
    """All rows one after another, each with its branches side by side."""
    elapsed_s: float | None = None
    """From the first row's beginning to the last one's end, pauses included."""
    over_time: tuple[Stretch, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def ended(self) -> int:
        """Skipped ones not counted."""
        finished = sum(n for state, n in self.states.items() if state.finished)
        return finished - self.states.get(RowState.SKIPPED, 0)

    @property
    def answered(self) -> int:
        return sum(self.states.get(state, 0) for state in _ANSWERED)

    @property
    def speed_up(self) -> float | None:
        """How many times faster branches side by side were than one after another, over all rows;
        None where nothing was measured."""
        return (
            self.sequential_s / self.wall_sum_s if self.wall_sum_s and self.sequential_s else None
        )

    @property
    def batch_speed_up(self) -> float | None:
        """The same with the rows side by side as well."""
        if not self.elapsed_s or not self.sequential_s:
            return None
        return self.sequential_s / self.elapsed_s
