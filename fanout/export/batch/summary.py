"""What a report tells of a batch, gathered in one pass: figures, and the rows that it shows."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fanout.batch.figures import Figures
from fanout.batch.results import Counting, point_of
from fanout.batches import HELD, Batch, RowRecord, RowState, WorkerSeen

SHOWN = 500
"""Rows of the table in a report."""
EXTREMES = 5
LONGEST_CELL = 2_000
"""Characters of a row's text that a report keeps; the tables have all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """A process that ended rows of the batch."""

    name: str
    """Its host and process where that is known, else its id."""
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    batch: Batch
    figures: Figures
    held: int
    """Rows that wait until a trial is over; `figures` has them among those left out."""
    rows: tuple[RowRecord, ...]
    """The first ones; see `SHOWN`."""
    most_agreed: tuple[RowRecord, ...]
    least_agreed: tuple[RowRecord, ...]
    """Least first."""
    crew: tuple[Crew, ...]
    """Who ended most rows first."""


def summary(batch: Batch, rows: Iterable[RowRecord], workers: Sequence[WorkerSeen] = ()) -> Summary:
    """Read every row once; memory stays flat."""
    counting, shown, by = Counting(), list[RowRecord](), Counter[str]()
    best, worst, held = _Best(1), _Best(-1), 0
    for record in rows:
        counting.add(point_of(record))
        held += is_held(record)
        if len(shown) < SHOWN:
            shown.append(_short(record))
        if record.result is not None and record.result.agreement is not None:
            for kept in (best, worst):
                kept.add(record.result.agreement, record)
        if record.worker and record.state.finished:
            by[record.worker] += 1
    return Summary(
        batch=batch,
        figures=counting.figures(),
        held=held,
        rows=tuple(shown),
        most_agreed=best.found(),
        least_agreed=worst.found(),
        crew=_crew(by, workers),
    )


def is_held(record: RowRecord) -> bool:
    """Whether it is wanted and waits until a trial is over."""
    return record.state is RowState.SKIPPED and record.row.skipped == HELD


class _Best:
    """The few rows of the highest agreement, or with -1, of the lowest; earlier ones first."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._heap: list[tuple[float, int, RowRecord]] = []

    def add(self, agreement: float, record: RowRecord) -> None:
        one = (self._sign * agreement, -record.row.number)
        if len(self._heap) < EXTREMES:
            heapq.heappush(self._heap, (*one, _short(record)))
        elif one > self._heap[0][:2]:
            heapq.heapreplace(self._heap, (*one, _short(record)))

    def found(self) -> tuple[RowRecord, ...]:
        ordered = sorted(self._heap, key=lambda one: one[:2], reverse=True)
        return tuple(record for *_, record in ordered)


def _short(record: RowRecord) -> RowRecord:
    """Without the texts that a report doesn't show anyway."""
    row = replace(record.row, topic=_cut(record.row.topic), values={})
    result = record.result
    if result is not None:
        result = replace(result, answer=_cut(result.answer), message=_cut(result.message))
    return replace(record, row=row, result=result)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _crew(by: Counter[str], workers: Sequence[WorkerSeen]) -> tuple[Crew, ...]:
    names = {one.id: f"{one.host}, process {one.pid}" for one in workers}
    return tuple(
        Crew(name=names.get(worker, worker), rows=rows) for worker, rows in by.most_common()
    )
