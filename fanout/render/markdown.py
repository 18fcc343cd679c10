"""Model text as sanitised HTML, block by block: only the block being written is rendered again.

A block is closed once a complete line begins another one, a paragraph once an empty line ends it;
by CommonMark's line-by-line rules no later text can change it then. So the cost of an update is
that of the open block, and the HTML at the end is the same however the text was cut into pieces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from fanout.render.sanitise import block_starts, clean_text, html_of

LONGEST_BLOCK = 8_000
"""Characters after which a block is cut: the parser's cost per render must stay bounded."""
SMALL_BLOCK = 1_500
"""Up to this size the open block is rendered on every update."""
GROWTH = 32
"""A bigger one is rendered again when it has grown by one part in this many."""


_MARGIN = re.compile(r"\n(?=\S)")


class BlockRenderer:
    """Follows one growing text; a text that does not continue the last one starts it anew."""

    def __init__(self) -> None:
        self._raw = ""
        self._region = ""
        """Cleaned source of the open block, and of what begins in an incomplete line after it."""
        self._fence = ""
        """The opening line of a code block that was cut, so that what follows is still code."""
        self._rendered_size = 0
        self._closed: list[str] = []
        self.open = ""
        """HTML of the open block."""
        self.generation = 0
        """How many times it started anew."""
        self.pending = False
        """True where text has come that is not in the HTML yet; updating again brings it in."""

    @property
    def closed(self) -> Sequence[str]:
        """HTML of the blocks that will not change any more."""
        return self._closed

    @property
    def html(self) -> str:
        return "".join(self._closed) + self.open

    def update(self, text: str) -> None:
        """Take in the whole text so far."""
        if text == self._raw:
            self.flush()
            return
        if not text.startswith(self._raw):
            self._start_anew()
        new = clean_text(text[len(self._raw) :])
        self._raw = text
        self._region += new
        self.pending = True
        if self._worth_rendering():
            self._render()

    def flush(self) -> None:
        """Bring in what was put off."""
        if self.pending:
            self._render()

    def _worth_rendering(self) -> bool:
        size = len(self._region)
        return size <= SMALL_BLOCK or size - self._rendered_size >= size // GROWTH

    def _start_anew(self) -> None:
        self._raw = self._region = self._fence = self.open = ""
        self._closed = []
        self.generation += 1

    def _render(self) -> None:
        while self._close_blocks() or self._cut_block():
            pass
        self.open = html_of(self._fence + self._region) if self._region.strip("\n") else ""
        self._rendered_size = len(self._region)
        self.pending = False

    def _close_blocks(self) -> bool:
        """Close the blocks of the complete lines that have ended; whether there were any."""
        window = self._region[:LONGEST_BLOCK]
        complete = window[: window.rfind("\n") + 1]
        ended = complete.endswith("\n\n")
        if not ended and "\n" not in complete.strip("\n"):
            return False
        starts, first = block_starts(self._fence + complete)
        shift = self._fence.count("\n")
        lines = [line + "\n" for line in complete.split("\n")[:-1]]
        ends = [start - shift for start in starts[1:]]
        if not ends and ended and first is not None and first.type == "paragraph_open":
            ends = [len(lines)]
        if not ends:
            return False
        for begin, end in pairwise([0, *ends]):
            self._close("".join(lines[begin:end]))
        self._region = self._region[sum(len(line) for line in lines[: ends[-1]]) :]
        return True

    def _cut_block(self) -> bool:
        """Cut a block that is too long at a line or a space; whether it was."""
        if len(self._region) <= LONGEST_BLOCK:
            return False
        window = self._region[:LONGEST_BLOCK]
        _, first = block_starts(self._fence + window)
        at = _cut_at(window)
        self._close(self._region[:at])
        self._fence = f"{first.markup}\n" if first is not None and first.type == "fence" else ""
        self._region = self._region[at:]
        return True

    def _close(self, source: str) -> None:
        html = html_of(self._fence + source)
        self._fence = ""
        if html:
            self._closed.append(html)


def _cut_at(window: str) -> int:
    """Where a long block hurts least to be cut: before a line at the margin, a line, a space."""
    half = len(window) // 2
    margins = [line.end() for line in _MARGIN.finditer(window, half)]
    edges = margins[-1:] or [window.rfind("\n", half) + 1, window.rfind(" ", half) + 1]
    return next((edge for edge in edges if edge), len(window))


def render(text: str) -> str:
    """The whole text as sanitised HTML."""
    renderer = BlockRenderer()
    renderer.update(text)
    return renderer.html
