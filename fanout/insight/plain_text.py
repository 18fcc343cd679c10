"""Markdown without its marks, every visible character knowing where in the source it stood.

A parser of Markdown tells which line a piece of text came from, not which character. Whoever marks
a sentence on the screen or quotes it needs the character, so the marks are taken off here. What
models write is covered: lists, headings, tables, quotes, code, links, emphasis, entities, verse.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["prose", "heading", "cell", "code"]

VERSE_CHARACTERS = 60
"""A paragraph whose every line is shorter than this was broken on purpose: each line stands."""

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+((?:.*[^\s#])?)[\s#]*$")
_BOLD_LINE = re.compile(r"\s*(\*\*|__)(?!\s)[^*_]{1,80}(?<![.!?\s])\1:?\s*$")
_RULE = re.compile(r"\s*(?:(?:-\s*){3,}|(?:=\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_TABLE_RULE = re.compile(r"\s*+(?=[^-]*-)(?=[^|]*\|)[\s:|-]+$")
_ROW = re.compile(r"\s*\|(.*)\|\s*$")
_CELL = re.compile(r"(?:\\.|[^|\\])+")
_QUOTE = re.compile(r"\s*(?:>\s?)+")
_ITEM = re.compile(r"\s*(?:[-*+•–]|\d{1,3}[.)]|[a-z]\)|\(\w{1,3}\))\s+(?:\[[ xX]\]\s+)?")

_TARGET = r"\((?:[^()]|\([^()]{0,100}\)){0,500}\)"
_INLINE = re.compile(
    r"(?=[\\`<&!\[\]*_~\s])(?:"  # most characters are none of these, and are passed at once
    r"(?P<ticks>`{1,3})(?P<code>[^`]+)(?P=ticks)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|<(?P<address>https?://[^<>\s]*)>"
    r"|(?P<space><br\s*/?>|\s{2,}|[\t\r\xa0])"
    r"|(?P<entity>&(?:\#\d{1,7}|\#[xX][\da-fA-F]{1,6}|[a-zA-Z]\w{1,30});)"
    r"|</?[a-zA-Z]\w{0,15}(?:\s[^<>]{0,200})?/?>"
    rf"|!?\[(?=[^\]\[]*\]{_TARGET})|(?<!\\)\]{_TARGET}"
    r"|\*\*+(?=\S)|(?<=\S)\*\*+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)"
    r"|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|~~)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of visible text and the stretch of source that shows it."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Text that belongs together: a paragraph, an item, a heading, a cell, a piece of code."""

    kind: Kind
    text: str
    pieces: tuple[Piece, ...]
    starts: tuple[int, ...]
    """Where in `text` each piece begins."""

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where in the source the visible characters from `start` to before `end` stand."""
        first, last = self._piece(start), self._piece(end - 1)
        return self._at(first, start)[0], self._at(last, end - 1)[1]

    def _piece(self, at: int) -> int:
        return bisect_right(self.starts, at) - 1

    def _at(self, index: int, at: int) -> tuple[int, int]:
        piece = self.pieces[index]
        if len(piece.text) != piece.end - piece.start:
            return piece.start, piece.end
        begin = piece.start + at - self.starts[index]
        return begin, begin + 1


Span = tuple[int, int]


def plain(markdown: str) -> str:
    """What a reader sees, a line per block."""
    return "\n".join(block.text for block in blocks(markdown))


def blocks(markdown: str) -> tuple[Block, ...]:
    """The blocks that show any text, in order."""
    found = (_block(markdown, kind, spans) for kind, spans in _spans(markdown))
    return tuple(block for block in found if block.text)


def _spans(source: str) -> Iterator[tuple[Kind, list[Span]]]:
    """Blocks as the stretches of source that they are made of, one per line."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+|(?<=\n)(?=\n)", source)]
    fence = ""
    code: list[Span] = []
    open_lines: list[Span] = []
    row: list[Span] = []
    for start, end in lines:
        line = source[start:end]
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                yield "code", code
                fence, code = "", []
            else:
                code.append((start, end))
            continue
        quoted = _QUOTE.match(line)
        body = start + quoted.end() if quoted else start
        line = source[body:end]
        cells = _ROW.match(line)
        header, row = row, []
        for cell in header:
            yield ("heading" if _TABLE_RULE.match(line) else "cell"), [cell]
        closes = bool(mark or cells or not line.strip() or _HEADING.match(line))
        if closes or _RULE.match(line) or _TABLE_RULE.match(line) or _ITEM.match(line):
            underlined: Kind = "heading" if len(open_lines) == 1 and _underline(line) else "prose"
            yield from _paragraph(source, open_lines, underlined)
            open_lines = []
        if mark:
            fence = mark[1]
        elif cells:
            first = body + cells.start(1)
            row = [(first + c.start(), first + c.end()) for c in _CELL.finditer(cells[1])]
        elif _RULE.match(line) or _TABLE_RULE.match(line):
            continue
        elif heading := _HEADING.match(line):
            yield "heading", [(body + heading.start(1), body + heading.end(1))]
        elif line.strip():
            item = _ITEM.match(line)
            open_lines.append((body + item.end() if item else body, end))
    for cell in row:
        yield "cell", [cell]
    yield "code", code
    yield from _paragraph(source, open_lines, "prose")


def _underline(line: str) -> bool:
    return bool(_RULE.match(line)) and line.strip()[0] in "-="


def _paragraph(source: str, lines: list[Span], kind: Kind) -> Iterator[tuple[Kind, list[Span]]]:
    if len(lines) == 1 and _BOLD_LINE.match(source[slice(*lines[0])]):
        kind = "heading"
    if all(end - start < VERSE_CHARACTERS for start, end in lines):
        for line in lines:
            yield kind, [line]
        return
    together: list[Span] = []
    for start, end in lines:
        together.append((start, end))
        if source[start:end].endswith(("  ", "\\")):
            yield kind, together
            together = []
    yield kind, together


def _block(source: str, kind: Kind, spans: Sequence[Span]) -> Block:
    pieces: list[Piece] = []
    for start, end in spans:
        if pieces:
            pieces.append(Piece(text="\n" if kind == "code" else " ", start=start - 1, end=start))
        if kind == "code":
            pieces.append(Piece(text=source[start:end], start=start, end=end))
        else:
            pieces += _inline(source, start, end)
    pieces = [piece for piece in pieces if piece.text]
    starts: list[int] = []
    length = 0
    for piece in pieces:
        starts.append(length)
        length += len(piece.text)
    text = "".join(piece.text for piece in pieces)
    shown = text if text.strip() else ""
    return Block(kind=kind, text=shown, pieces=tuple(pieces), starts=tuple(starts))


def _inline(source: str, start: int, end: int) -> Iterator[Piece]:
    line = source[start:end]
    end = start + len(line.rstrip().rstrip("\\"))
    at = start + len(line) - len(line.lstrip())
    for match in _INLINE.finditer(source, at, max(at, end)):
        yield Piece(text=source[at : match.start()], start=at, end=match.start())
        at = match.end()
        kept = next((name for name in ("code", "escaped", "address") if match[name]), None)
        if kept:
            yield Piece(text=match[kept], start=match.start(kept), end=match.end(kept))
        elif match["space"]:
            yield Piece(text=" ", start=match.start(), end=at)
        elif match["entity"]:
            yield Piece(text=html.unescape(match["entity"]), start=match.start(), end=at)
    yield Piece(text=source[at:end], start=at, end=max(at, end))
