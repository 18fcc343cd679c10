"""What a person sees in a terminal: a line per branch while it works, the texts at the end."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO

from fanout.events import Event
from fanout.insight.speed import speed, total_cost_usd
from fanout.render.sources import shown_text
from fanout.render.words import metric_line, money_text, state_word
from fanout.retrieval.passages import Fused
from fanout.snapshot import Branch, Snapshot

REDRAWS_PER_S = 8


class Watched(Protocol):
    """A run, live or played again."""

    @property
    def snapshot(self) -> Snapshot: ...

    def now_s(self) -> float: ...

    def follow(self) -> Iterator[Event]: ...


class Progress:
    """Redraws its lines in a terminal; elsewhere prints a line when a branch ends."""

    def __init__(self, handle: Watched, about: str, out: TextIO) -> None:
        """`about` says in the first line who answers."""
        self._handle = handle
        self._about = about
        self._out = out
        self._drawn = 0

    def show(self) -> None:
        """Blocks until the run has finished."""
        snapshot = self._handle.snapshot
        count = len(snapshot.branches)
        branches = f"{count} branch{'es' if count != 1 else ''}"
        self._write(f"{snapshot.title}: {branches}, {self._about}\n")
        if self._out.isatty():
            self._redraw_until_finished()
        else:
            self._print_as_branches_end()

    def _redraw_until_finished(self) -> None:
        tick = threading.Event()
        while True:
            snapshot = self._handle.snapshot
            self._redraw(snapshot)
            if snapshot.status.finished:
                return
            tick.wait(1 / REDRAWS_PER_S)

    def _redraw(self, snapshot: Snapshot) -> None:
        width = shutil.get_terminal_size().columns - 1
        lines = [_line(branch, self._handle.now_s())[:width] for branch in snapshot.calls]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._drawn = len(lines)

    def _print_as_branches_end(self) -> None:
        told: set[tuple[str, int]] = set()
        for event in self._handle.follow():
            for branch in self._handle.snapshot.calls:
                # A branch that is asked again ends again.
                go = (branch.id, len(branch.earlier))
                if branch.state.finished and go not in told:
                    told.add(go)
                    self._write(_line(branch, event.at) + "\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def print_results(snapshot: Snapshot, out: TextIO) -> None:
    """Every branch's text, the combined answer, and the run in one line."""
    for branch in snapshot.branches:
        _print_text(branch.title, shown_text(branch), branch, out)
    if snapshot.aggregate is not None:
        made = snapshot.aggregate.shown
        _print_text(made.heading, made.text, snapshot.aggregate.branch, out)
        _print_passages(made.passages, out)
    elif snapshot.aggregate_kind is not None:
        print("No combined answer: no branch has a result to combine.\n", file=out)
    if snapshot.failure is not None:
        print(snapshot.failure.message, file=sys.stderr)
    measures = speed(snapshot, snapshot.at)
    line = f"{measures.wall_s:.1f} s"
    if sum(call.state.succeeded for call in snapshot.calls) > 1:
        line += f" instead of {measures.sequential_s:.1f} s one after another"
    print(f"{line} · {money_text(total_cost_usd(snapshot))}", file=out)


def _print_passages(passages: Sequence[Fused], out: TextIO) -> None:
    """What the answer's [1], [2] and so on stand for."""
    for number, one in enumerate(passages, 1):
        place = one.passage.place or f"passage {one.passage.ordinal}"
        print(f"[{number}] {one.passage.title}, {place}", file=out)
    if passages:
        print(file=out)


def _print_text(title: str, text: str, branch: Branch, out: TextIO) -> None:
    print(f"## {title}\n", file=out)
    if text.strip():
        print(text.strip() + "\n", file=out)
    if branch.failure is not None:
        print(f"[{state_word(branch.state)}: {branch.failure.message}]\n", file=out)
    elif not branch.state.succeeded:
        print(f"[{state_word(branch.state)}]\n", file=out)


def _line(branch: Branch, now_s: float) -> str:
    state = branch.state.value.replace("_", " ")
    line = f"  {branch.title:<14.14} {state:<9} {metric_line(branch, now_s)}"
    return f"{line}  {branch.failure.message}" if branch.failure else line
