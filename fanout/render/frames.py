"""What changed on the board since the last look, as small JSON-able frames.

A frame holds differences, a keyframe the whole picture; folding frames onto a keyframe gives the
next keyframe. Live board, replay and one-file report read the same frames, so nothing here knows
of sockets or screens. A frame carries the run's clock, and durations as "so much, and counting
since": whoever draws it ticks by itself, and a quiet run sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

from fanout.render.answer_face import answer_face, answer_number, missing_answer_face
from fanout.render.column_face import branch_face, run_face
from fanout.render.faces import Face, RunFace
from fanout.render.headline import Headline, headline
from fanout.render.markdown import BlockRenderer
from fanout.render.same import only_words_came
from fanout.render.sources import Sources, Tracer, shown_answer, shown_text
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import AGGREGATE

Splice = tuple[int, str]
"""How much to keep of the HTML that was there, in UTF-16 units as browsers count, and the rest."""


class TextDiff(TypedDict):
    """How a column's text changed, as HTML blocks."""

    keep: int
    """Closed blocks that stay."""
    closed: list[Splice]
    """Blocks closed since; the first begins from the HTML of what was the open block."""
    open: Splice
    """The open block; from its last HTML, or from nothing where a block was closed before it."""


class Column(TypedDict, total=False):
    face: Face
    tokens: int
    thought: int
    """Tokens of thinking, about: beside the face, which needn't be sent again for them."""
    text: TextDiff
    sources: Sources | None
    """Where a combined answer came from; None takes back what was said before."""


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
        self._columns: dict[str, _ColumnState] = {}

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
            state = self._columns.setdefault(branch.id, _ColumnState())
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
            state = self._columns.setdefault(AGGREGATE, _ColumnState())
            if change := state.advance(None, missing_answer_face(snapshot)):
                changes[AGGREGATE] = change
        for made in sorted(snapshot.aggregates, key=answer_number):
            state = self._columns.setdefault(made.id, _ColumnState())
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


class _ColumnState:
    """One column as its viewers know it."""

    def __init__(self) -> None:
        self.renderer = BlockRenderer()
        self._branch: Branch | None = None
        self._answer: str | None = None
        self.face: Face | None = None
        self._sources: Sources | None = None
        self._tokens = self._thought = 0
        self._generation = 0
        self._sent: list[str] = []
        """Closed blocks as they were sent."""
        self._sent_open = ""

    def knows(self, branch: Branch) -> bool:
        """True where looking again would show nothing new."""
        return branch is self._branch and not self.renderer.pending

    def advance(
        self,
        branch: Branch | None,
        face: Face | None,
        made: Aggregate | None = None,
        sources: Sources | None = None,
    ) -> Column:
        """Take in the branch as it stands; what changed, empty if nothing did."""
        change = Column()
        if face is not None and face is not self.face and face != self.face:
            self.face = change["face"] = face
        if sources is not self._sources:
            self._sources = change["sources"] = sources
        tokens = branch.pieces if branch else 0
        if tokens != self._tokens:
            self._tokens = change["tokens"] = tokens
        thought = branch.thought if branch else 0
        if thought != self._thought:
            self._thought = change["thought"] = thought
        answer = made.answer if made else None
        if branch is not self._branch or answer != self._answer or self.renderer.pending:
            self._branch, self._answer = branch, answer
            self._render(branch, made)
            if diff := self._text_diff():
                change["text"] = diff
        return change

    def whole(self) -> Column:
        """Everything, for a viewer who has nothing."""
        text = TextDiff(
            keep=0, closed=[(0, html) for html in self._sent], open=(0, self._sent_open)
        )
        column = Column(tokens=self._tokens, text=text)
        if self._thought:
            column["thought"] = self._thought
        if self.face is not None:
            column["face"] = self.face
        if self._sources is not None:
            column["sources"] = self._sources
        return column

    def _render(self, branch: Branch | None, made: Aggregate | None) -> None:
        text = shown_answer(made) if made else shown_text(branch) if branch else ""
        self.renderer.update(text)
        # A text that was written anew must not be gone until enough of it has come.
        anew = self.renderer.generation != self._generation
        if anew or branch is None or branch.state.finished:
            self.renderer.flush()

    def _text_diff(self) -> TextDiff | None:
        renderer = self.renderer
        keep = len(self._sent)
        if renderer.generation != self._generation:
            self._generation = renderer.generation
            keep = _same(self._sent, renderer.closed)
        if keep == len(self._sent) == len(renderer.closed) and self._sent_open == renderer.open:
            return None
        # What goes on from the open block is either the first of the new blocks or still open.
        before = self._sent_open
        closed: list[Splice] = []
        for html in renderer.closed[keep:]:
            closed.append(splice(before, html))
            before = ""
        diff = TextDiff(keep=keep, closed=closed, open=splice(before, renderer.open))
        self._sent[keep:] = renderer.closed[keep:]
        self._sent_open = renderer.open
        return diff


def _turned(before: Snapshot | None, now: Snapshot) -> bool:
    """Whether something has changed that every column may speak of."""
    if before is None or before.status is not now.status or before.fan_in is not now.fan_in:
        return True
    if now.fan_in is None:
        return False
    one, other = before.aggregate, now.aggregate
    return (one and one.shown.used) != (other and other.shown.used)


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of their first blocks are equal."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def splice(before: str, after: str) -> Splice:
    """The longest common beginning, in UTF-16 units, and the rest of `after`."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return _utf16_units(after[:low]), after[low:]


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
