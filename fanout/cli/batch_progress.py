"""How far a batch is, on a terminal as lines that are drawn anew, elsewhere a line now and then."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TextIO

from fanout.batch.estimate_words import long_text
from fanout.batches import Batch, BatchState, FailureGroup, Progress, RowState
from fanout.cli.printable import printable, write_codes
from fanout.render.words import kind_word, usd_text
from fanout.types import Via

NANO = Decimal(10**9)
EVERY_S = 5.0
"""Between two lines where nothing can be drawn anew."""
GROUPS = 5


class BatchProgress:
    """Draws what `show` is given; says each note once."""

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._live = out.isatty() and not quiet
        self._drawn = 0
        self._said: set[str] = set()
        self._next = 0.0
        self._last = ""

    def show(self, batch: Batch, progress: Progress, notes: Sequence[str] = ()) -> None:
        for note in notes:
            self.note(note)
        if self._quiet:
            return
        lines = list(progress_lines(batch, progress))
        if self._live:
            self._redraw(lines)
        elif (now := time.monotonic()) >= self._next and lines[0] != self._last:
            self._next, self._last = now + EVERY_S, lines[0]
            self._write(f"{lines[0]}\n")

    def note(self, text: str) -> None:
        """Something to be known; the same thing once."""
        if text not in self._said:
            self._said.add(text)
            self.say(f"fanout: {text}")

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        self._write(f"{text}\n")

    def close(self) -> None:
        """What was drawn last stays."""
        self._drawn = 0

    def _redraw(self, lines: Sequence[str]) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._clear()
        for line in lines:
            self._write(f"{printable(line)[:width]}\n")
        self._drawn = len(lines)

    def _clear(self) -> None:
        if self._drawn:
            write_codes(self._out, f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def progress_lines(batch: Batch, progress: Progress, *, alone: bool = False) -> Iterator[str]:
    """Rows, rate, what is left and money in one line; then the causes of failures. `alone`: no
    worker is there, so that rows under way stand still."""
    pace = _pace(progress) if batch.state is BatchState.RUNNING and not alone else ()
    yield " · ".join((*_rows(progress, alone=alone), *pace, spent_words(batch, progress)))
    for group in progress.failures[:GROUPS]:
        yield f"  {group_words(group)}"


def spent_words(batch: Batch, progress: Progress) -> str:
    """ "$0.83 of $5.00"; what nobody knows is said."""
    usd = Decimal(progress.cost_under(batch.budget)) / NANO
    # Rows that all failed cost nothing anywhere; only an answer for nothing is free.
    free = not usd and progress.answered
    said = "free" if free else f"{'≈ ' if progress.estimated_costs else ''}{usd_text(usd)}"
    if progress.unknown_costs:
        said = f"{usd_text(usd)} and what is unknown" if usd else "cost unknown"
    elif not (progress.ended or usd):
        said = "nothing spent"
    if batch.budget.usd is not None:
        said += f" of {usd_text(batch.budget.usd)}"
    if batch.budget.tokens is not None:
        said += f", {progress.tokens_under(batch.budget):,} of {batch.budget.tokens:,} tokens"
    return said


def group_words(group: FailureGroup) -> str:
    """ "3 rows: Rate limited (row 12, 40, 41): what the endpoint said"."""
    rows = f"{group.count:,} row{'' if group.count == 1 else 's'}"
    cause = kind_word(group.cause) if group.cause is not None else "failed"
    more = ", …" if group.count > len(group.rows) else ""
    numbers = ", ".join(f"{number:,}" for number in group.rows)
    message = " ".join(group.message.split())
    return f"{rows}: {cause} (row {numbers}{more})" + (f": {message}" if message else "")


def _rows(progress: Progress, *, alone: bool) -> Iterator[str]:
    skipped = progress.counts.get(RowState.SKIPPED, 0)
    yield f"{progress.ended:,} of {progress.total - skipped:,} rows"
    words = {
        RowState.RUNNING: "at work",
        RowState.PARTIAL: "in part",
        RowState.FAILED: "failed",
        RowState.STOPPED: "stopped",
    }
    for state, word in words.items():
        if count := progress.counts.get(state, 0):
            were = ("was " if count == 1 else "were ") * (alone and state is RowState.RUNNING)
            yield f"{count:,} {were}{word}"


def _pace(progress: Progress) -> Iterator[str]:
    if not progress.left:
        return
    if progress.via is Via.PROVIDER:
        yield "answered within 24 hours"
        return
    rate, left_s = progress.rows_per_minute, progress.remaining_s
    if rate is None or left_s is None:
        yield "time left unknown yet"
        return
    yield f"{rate:,.0f} a minute" if rate >= 10 else f"{rate:.1f} a minute"
    yield f"about {long_text(left_s)} left"
