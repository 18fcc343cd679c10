"""The frames that the live board would have got, made again from a run's events.

Each stands at the second at which its last event happened, so a replay keeps the run's timing. Only
the pause between the end of a run and its being resumed is played in a second at most: a frame
says in `play` when it is due, and in `t` what the run's clock showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fanout.events import BranchWrote, Event, RunFinished, RunStarted
from fanout.fold import apply, begin
from fanout.render.frames import Frame, FrameBuilder
from fanout.render.tracing import trace_here
from fanout.snapshot import Snapshot
from fanout.timeline import compact

FRAMES_PER_S = 15.0
LONGEST_PAUSE_S = 1.0
"""Playing time of a pause in which nothing of the run was going on."""
MOST_CHANGES = 12_000
"""How often columns may grow in one replay: twelve at once for over a minute at the full rate.
What is longer gets fewer frames a second, so that no run makes a file that nobody can open."""


def replay_frames(
    events: Sequence[Event],
    *,
    frames_per_s: float = FRAMES_PER_S,
    most_changes: int = MOST_CHANGES,
) -> tuple[Frame, ...]:
    """A keyframe, then the differences, to the picture as it is now. Pure, takes about a second
    for a minute of twelve columns; none for no events."""
    step_s = _step_s(events, 1 / frames_per_s, most_changes)
    merged = compact(events, step_s)
    if not merged or not isinstance(merged[0], RunStarted):
        return ()
    reel = _Reel(begin(merged[0]))
    for group in _groups(merged[1:], step_s):
        reel.happen(group, step_s)
    reel.finish(step_s)
    return tuple(reel.frames)


def _step_s(events: Sequence[Event], step_s: float, most_changes: int) -> float:
    """Seconds from frame to frame; longer where there would be too much."""
    changes = sum(isinstance(event, BranchWrote) for event in compact(events, step_s))
    return step_s * max(1.0, changes / most_changes)


def _groups(events: Iterable[Event], step_s: float) -> Iterable[list[Event]]:
    """Events that one frame shows together. The end of a run closes its group."""
    group: list[Event] = []
    for event in events:
        if group and event.at - group[0].at >= step_s:
            yield group
            group = []
        group.append(event)
        if isinstance(event, RunFinished):
            yield group
            group = []
    if group:
        yield group


class _Reel:
    """The run so far, as folded and as framed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._builder = FrameBuilder("replay")
        self._builder.frame(snapshot, snapshot.at)
        self._left_out_s = 0.0
        self._played_s = 0.0
        self.frames: list[Frame] = [self._builder.keyframe(snapshot.at)]
        self.frames[0]["play"] = 0.0

    def happen(self, group: Sequence[Event], step_s: float) -> None:
        pause_s = group[0].at - self._snapshot.at
        if self._builder.pending and pause_s > step_s:
            # The live board, too, brings in what it put off when nothing more comes.
            self._frame(self._snapshot.at + step_s)
        if self._snapshot.status.finished:
            self._left_out_s += max(0.0, pause_s - LONGEST_PAUSE_S)
        for event in group:
            self._snapshot = apply(self._snapshot, event)
        if self._snapshot.status.finished:
            trace_here(self._builder.tracer, self._snapshot)
        self._frame(self._snapshot.at)

    def finish(self, step_s: float) -> None:
        if self._builder.pending:
            self._frame(self._snapshot.at + step_s)

    def _frame(self, t: float) -> None:
        frame = self._builder.frame(self._snapshot, t)
        if frame is not None:
            self._played_s = max(self._played_s, t - self._left_out_s)
            frame["play"] = round(self._played_s, 3)
            self.frames.append(frame)
