"""One column of the board as its viewers know it, and what of it has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from fanout.render.faces import Face
from fanout.render.markdown import BlockRenderer
from fanout.render.sources import Sources, shown_answer, shown_text
from fanout.snapshot import Aggregate, Branch

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


class ColumnState:
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
