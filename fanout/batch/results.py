"""What came out of a batch, as figures: one pass over its rows, whether 3 or 100,000.

Only what a row really has is counted: a cost that nobody knows is in no sum and is told as unknown,
a row that was not voted on is in no share, and a row that hasn't ended is in nothing but its state.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from fanout.batch.figures import Figures, Money, VerdictShare
from fanout.batch.spreads import bins, histogram, over_time, spread
from fanout.batches import FailureGroup, RowRecord, RowState
from fanout.store.batch_points import RowPoint
from fanout.types import FailureKind

NANO = 10**9
MOST_VERDICTS = 12
"""Rarer ones are counted together."""
FIRST_ROWS = 5
_ANSWERED = (RowState.SUCCEEDED, RowState.PARTIAL)


def point_of(record: RowRecord) -> RowPoint:
    """A row's figures; for those that are at hand as records."""
    result = record.result
    base = RowPoint(
        number=record.row.number,
        state=record.state,
        started_at=record.started_at,
        finished_at=record.finished_at,
        tries=record.tries,
    )
    if result is None:
        return base
    return RowPoint(
        number=base.number,
        state=base.state,
        cause=result.cause,
        message=result.message if record.state.lacks else "",
        verdict=result.verdict,
        agreement=result.agreement,
        cost_nano=None if result.cost is None else round(result.cost.usd * NANO),
        estimated=result.cost is not None and result.cost.estimated,
        tokens=result.input_tokens + result.output_tokens,
        input_tokens=result.input_tokens,
        wall_s=result.wall_s,
        sequential_s=result.sequential_s,
        started_at=base.started_at,
        finished_at=base.finished_at,
        tries=base.tries,
    )


def figures(points: Iterable[RowPoint]) -> Figures:
    """All figures over rows in any order; about 100 bytes of memory a row."""
    counting = Counting()
    for point in points:
        counting.add(point)
    return counting.figures()


class Counting:
    """Figures while the rows go by."""

    def __init__(self) -> None:
        self._states: Counter[RowState] = Counter()
        self._verdicts: Counter[str | None] = Counter()
        self._agreement, self._wall, self._tokens = array("d"), array("d"), array("d")
        self._costs, self._ends, self._failed_ends = array("d"), array("d"), array("d")
        self._nano = self._free = self._unknown = self._estimated = self._again = 0
        self._input = self._output = 0
        self._sequential_s = self._wall_s = 0.0
        self._began: float | None = None
        self._failures: dict[FailureKind | None, _Group] = {}

    def add(self, point: RowPoint) -> None:
        self._states[point.state] += 1
        if not point.state.finished or point.state is RowState.SKIPPED:
            return
        self._again += point.tries > 1
        self._input += point.input_tokens
        self._output += point.tokens - point.input_tokens
        self._sequential_s += point.sequential_s
        self._wall_s += point.wall_s
        self._add_money(point)
        self._estimated += point.estimated
        self._add_times(point)
        if point.state.lacks:
            self._failures.setdefault(point.cause, _Group()).add(point)
        if point.state in _ANSWERED:
            self._wall.append(point.wall_s)
            self._tokens.append(point.tokens)
            if point.verdict is not None or point.agreement is not None:
                self._verdicts[point.verdict] += 1
            if point.agreement is not None:
                self._agreement.append(point.agreement)

    def figures(self) -> Figures:
        voted = sum(self._verdicts.values())
        most = self._verdicts.most_common(MOST_VERDICTS)
        return Figures(
            states=dict(self._states),
            voted=voted,
            verdicts=tuple(
                VerdictShare(verdict=name, count=n, share=n / voted) for name, n in most
            ),
            other_verdicts=voted - sum(n for _, n in most),
            agreement=spread(self._agreement),
            agreement_bins=bins(self._agreement, 1.0, 10),
            money=Money(
                usd=Decimal(self._nano) / NANO,
                paid=len(self._costs),
                free=self._free,
                unknown=self._unknown,
                estimated=self._estimated,
                spread=spread(self._costs),
                bins=histogram(self._costs),
            ),
            wall=spread(self._wall),
            wall_bins=histogram(self._wall),
            tokens=spread(self._tokens),
            input_tokens=self._input,
            output_tokens=self._output,
            failures=self._groups(),
            again=self._again,
            sequential_s=self._sequential_s,
            wall_sum_s=self._wall_s,
            elapsed_s=self._elapsed(),
            over_time=over_time(self._began, self._ends, self._failed_ends),
        )

    def _add_money(self, point: RowPoint) -> None:
        nano = point.cost_nano
        if nano is None:
            self._unknown += 1
            return
        self._nano += nano
        if nano:
            self._costs.append(nano / NANO)
        elif point.state in _ANSWERED:
            self._free += 1

    def _add_times(self, point: RowPoint) -> None:
        if point.started_at is not None:
            known = point.started_at if self._began is None else self._began
            self._began = min(known, point.started_at)
        if point.finished_at is not None:
            self._ends.append(point.finished_at)
            if point.state is RowState.FAILED:
                self._failed_ends.append(point.finished_at)

    def _elapsed(self) -> float | None:
        if self._began is None or not self._ends:
            return None
        return max(0.0, max(self._ends) - self._began)

    def _groups(self) -> tuple[FailureGroup, ...]:
        found = (group.told(cause) for cause, group in self._failures.items())
        return tuple(sorted(found, key=lambda one: (-one.count, one.cause or "")))


class _Group:
    """Rows that failed for one cause, as they go by."""

    def __init__(self) -> None:
        self._count, self._rows = 0, list[int]()
        self._newest, self._message = float("-inf"), ""

    def add(self, point: RowPoint) -> None:
        self._count += 1
        if len(self._rows) < FIRST_ROWS:
            self._rows.append(point.number)
        ended = point.finished_at or 0.0
        if ended >= self._newest:
            self._newest, self._message = ended, point.message

    def told(self, cause: FailureKind | None) -> FailureGroup:
        return FailureGroup(
            cause=cause, message=self._message, count=self._count, rows=tuple(self._rows)
        )
