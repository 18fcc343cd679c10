"""What changed on the board since the last look, as small JSON-able frames.

A frame holds differences, a keyframe the whole picture; folding frames onto a keyframe gives the
next keyframe. Live board, replay and one-file report read the same frames, so nothing here knows
of sockets or screens. A frame carries the run's clock, and durations as "so much, and counting
since": whoever draws it ticks by itself, and a quiet run sends nothing.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from fanout.render.answer_face import answer_face, answer_number, missing_answer_face
from fanout.render.column import Column, ColumnState
from fanout.render.column_face import branch_face, run_face
from fanout.render.faces import RunFace
from fanout.render.headline import Headline, headline
from fanout.render.same import only_words_came
from fanout.render.sources import Tracer
from fanout.snapshot import Snapshot
from fanout.types import AGGREGATE


class Frame(TypedDict):
    tag: str
    """Names the picture that this frame leads to."""
    base: str | None
    """The picture it starts from; None for a keyframe, which starts from nothing."""
    t: float
    """The run's clock when it was made."""
    play: NotRequired[float]
    """Second of a replay at which it is due; only there."""
    run: NotRequired[RunFace]
    headline: NotRequired[Headline | None]
    """The run in one number; None takes it back, when a run that was over goes on."""
    cols: dict[str, Column]
    """By branch id, in column order; behind them the combined answers, by theirs."""
    gone: NotRequired[list[str]]
    """Combined answers that are not there any more."""


class FrameBuilder:
    """Follows one run by its snapshots. Not for several threads at once."""

    def __init__(self, epoch: str = "0", tracer: Tracer | None = None) -> None:
        """`epoch` keeps the tags of this builder apart from those of another one. The tracer's
        owner does the tracing; what it has learnt comes with the next frame."""
        self._epoch: Final = epoch
        self.tracer: Final = tracer or Tracer()
        self._traced = 0
        self._number = 0
        self._t = 0.0
        self._snapshot: Snapshot | None = None
        self._run: RunFace | None = None
        self._headline: Headline | None = None
        self._columns: dict[str, ColumnState] = {}

    @property
    def tag(self) -> str:
        """The picture as of the newest frame."""
        return f"{self._epoch}-{self._number}"

    @property
    def pending(self) -> bool:
        """True where text was put off; the next `frame` brings it, whether or not more has come."""
        return any(column.renderer.pending for column in self._columns.values())

    def frame(self, snapshot: Snapshot, now_s: float) -> Frame | None:
        """What changed since the last frame; None if nothing did."""
        traced = self.tracer.version != self._traced
        if snapshot is self._snapshot and not self.pending and not traced:
            return None
        before = self._snapshot
        self._snapshot, self._t, self._traced = snapshot, now_s, self.tracer.version
        if before is not None and only_words_came(before, snapshot):
            cols = self._words(snapshot)
            return self._numbered(cols) if cols else None
        return self._whole_frame(snapshot, turned=_turned(before, snapshot))

    def _words(self, snapshot: Snapshot) -> dict[str, Column]:
        """The texts of a picture that has the faces of the last one."""
        cols: dict[str, Column] = {}
        for branch in snapshot.branches:
            state = self._columns[branch.id]
            if not state.knows(branch) and (change := state.advance(branch, state.face)):
                cols[branch.id] = change
        for made in sorted(snapshot.aggregates, key=answer_number):
            state = self._columns[made.id]
            if change := state.advance(made.branch, state.face, made, self.tracer.known(made)):
                cols[made.id] = change
        return cols

    def _numbered(self, cols: dict[str, Column]) -> Frame:
        base = self.tag
        self._number += 1
        return Frame(tag=self.tag, base=base, t=round(self._t, 3), cols=cols)

    def _whole_frame(self, snapshot: Snapshot, *, turned: bool) -> Frame | None:
        """Every face looked at anew."""
        cols: dict[str, Column] = {}
        for branch in snapshot.branches:
            state = self._columns.setdefault(branch.id, ColumnState())
            if not turned and state.knows(branch):
                continue
            if change := state.advance(branch, branch_face(branch, snapshot)):
                cols[branch.id] = change
        cols |= self._answers(snapshot)
        run = run_face(snapshot)
        told = headline(snapshot)
        gone = self._gone(snapshot)
        if run == self._run and told == self._headline and not cols and not gone:
            return None
        frame = self._numbered(cols)
        if run != self._run:
            self._run = frame["run"] = run
        if told != self._headline:
            self._headline = frame["headline"] = told
        if gone:
            frame["gone"] = gone
        return frame

    def _answers(self, snapshot: Snapshot) -> dict[str, Column]:
        changes: dict[str, Column] = {}
        if snapshot.aggregate is None and snapshot.aggregate_kind is not None:
            state = self._columns.setdefault(AGGREGATE, ColumnState())
            if change := state.advance(None, missing_answer_face(snapshot)):
                changes[AGGREGATE] = change
        for made in sorted(snapshot.aggregates, key=answer_number):
            state = self._columns.setdefault(made.id, ColumnState())
            sources = self.tracer.known(made)
            change = state.advance(made.branch, answer_face(made, snapshot), made, sources)
            if change:
                changes[made.id] = change
        return changes

    def _gone(self, snapshot: Snapshot) -> list[str]:
        there = {branch.id for branch in snapshot.branches}
        there |= {made.id for made in snapshot.aggregates}
        if snapshot.aggregate_kind is not None:
            there.add(AGGREGATE)
        gone = [name for name in self._columns if name not in there]
        for name in gone:
            del self._columns[name]
        return gone

    def keyframe(self, now_s: float | None = None) -> Frame:
        """The whole picture as of the newest frame."""
        t = self._t if now_s is None else now_s
        cols = {name: state.whole() for name, state in self._columns.items()}
        frame = Frame(tag=self.tag, base=None, t=round(t, 3), cols=cols)
        if self._run is not None:
            frame["run"] = self._run
        if self._headline is not None:
            frame["headline"] = self._headline
        return frame


def _turned(before: Snapshot | None, now: Snapshot) -> bool:
    """Whether something has changed that every column may speak of."""
    if before is None or before.status is not now.status or before.fan_in is not now.fan_in:
        return True
    if now.fan_in is None:
        return False
    one, other = before.aggregate, now.aggregate
    return (one and one.shown.used) != (other and other.shown.used)
