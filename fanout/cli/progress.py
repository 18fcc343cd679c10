"""What a person sees in a terminal: a line per branch while it works, the texts at the end."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO

from fanout.cli.printable import printable, write_codes
from fanout.events import Event
from fanout.insight.speed import speed
from fanout.render.fan_in_words import late_text, plan_text
from fanout.render.live_words import (
    budget_skipped,
    hold_text,
    marks,
    retry_text,
    thinking,
    thinking_text,
)
from fanout.render.sources import shown_text
from fanout.render.words import branch_word, kind_word, metric_line, spent_text, state_word
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
        if plan := plan_text(snapshot):
            self._write(f"{plan}\n")
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
        now_s = self._handle.now_s()
        lines = [branch_line(branch, snapshot, now_s) for branch in snapshot.calls]
        if self._drawn:
            write_codes(self._out, f"\x1b[{self._drawn}A")
        for line in lines:
            write_codes(self._out, "\x1b[2K")
            self._write(f"{printable(line)[:width]}\n")
        self._drawn = len(lines)

    def _print_as_branches_end(self) -> None:
        told: set[tuple[str, int]] = set()
        for event in self._handle.follow():
            snapshot = self._handle.snapshot
            for branch in snapshot.calls:
                # A branch that is asked again ends again.
                go = (branch.id, len(branch.earlier))
                if branch.state.finished and go not in told:
                    told.add(go)
                    self._write(branch_line(branch, snapshot, event.at) + "\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def print_results(snapshot: Snapshot, out: TextIO) -> None:
    """Every branch's text, the combined answer, and the run in one line."""
    for branch in snapshot.branches:
        _print_text(branch.title, shown_text(branch), branch, snapshot, out)
    if snapshot.aggregate is not None:
        made = snapshot.aggregate.shown
        _print_text(made.heading, made.text, snapshot.aggregate.branch, snapshot, out)
        _print_passages(made.passages, out)
    elif snapshot.aggregate_kind is not None:
        print("No combined answer: no branch has a result to combine.\n", file=out)
    if snapshot.failure is not None:
        print(snapshot.failure.message, file=sys.stderr)
    measures = speed(snapshot, snapshot.at)
    line = f"{measures.wall_s:.1f} s"
    if sum(call.state.succeeded for call in snapshot.calls) > 1 and measures.comparable:
        line += f" instead of {measures.sequential_s:.1f} s one after another"
    print(f"{line} · {spent_text(snapshot.goes)}", file=out)


def _print_passages(passages: Sequence[Fused], out: TextIO) -> None:
    """What the answer's [1], [2] and so on stand for."""
    for number, one in enumerate(passages, 1):
        place = one.passage.place or f"passage {one.passage.ordinal}"
        print(f"[{number}] {one.passage.title}, {place}", file=out)
    if passages:
        print(file=out)


def _print_text(title: str, text: str, branch: Branch, snapshot: Snapshot, out: TextIO) -> None:
    print(f"## {title}\n", file=out)
    for said in _aside(branch, snapshot):
        print(f"[{said}]\n", file=out)
    if text.strip():
        print(text.strip() + "\n", file=out)
    if branch.failure is not None:
        said = branch.failure.message
        # What a budget skips says so itself.
        why = said if budget_skipped(branch) else f"{branch_word(branch)}: {said}"
        print(f"[{why}]\n", file=out)
    elif not branch.state.succeeded:
        print(f"[{state_word(branch.state)}]\n", file=out)


def branch_line(branch: Branch, snapshot: Snapshot, now_s: float) -> str:
    """A call in one line: its state, its numbers, and what holds it up or how it came to be."""
    state = branch.state.value.replace("_", " ")
    line = f"  {branch.title:<14.14} {state:<9} {metric_line(branch, now_s)}"
    told = "  ".join(filter(None, (_now(branch, snapshot, now_s), *_aside(branch, snapshot))))
    return f"{line}  {told}" if told else line


def _now(branch: Branch, snapshot: Snapshot, now_s: float) -> str:
    """Why it stands still, counting down; or why it failed."""
    if branch.failure is not None:
        return branch.failure.message
    if branch.retry is not None:
        return retry_text(kind_word(branch.retry.failure.kind), branch.retry, now_s)
    if branch.hold is not None:
        return hold_text(branch, snapshot, now_s)
    return thinking_text(branch.thought) if thinking(branch) else ""


def _aside(branch: Branch, snapshot: Snapshot) -> list[str]:
    """What is unusual about it: a fallback, a restart, a second request, an answer too late."""
    said = [text for _, text in marks(branch, snapshot)]
    return [*said, late] if (late := late_text(branch, snapshot)) else said
