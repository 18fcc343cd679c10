"""Markdown and plain text as parts: the source as it is, one part per heading."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fanout.retrieval.extracted import Part

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*[^ \t#]|.)[ \t#]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_PLAIN_LINE = re.compile(r"\s{0,3}[^\s#>|*+\-=`~].*$")


def plain_parts(text: str) -> Iterator[Part]:
    yield Part(text=text)


def markdown_parts(text: str) -> Iterator[Part]:
    """The heading stands in its part's text too, so that a passage reads as in the document."""
    lines: list[str] = []
    name = ""
    fence = ""
    for line in text.splitlines():
        if fenced := _FENCE.match(line):
            fence = _after_fence(fence, fenced[1])
        heading = None if fence else _HEADING.match(line)
        underlined = None if fence else _UNDERLINE.match(line)
        if heading:
            yield Part(text="\n".join(lines), unit="section", name=name)
            lines, name = [line], heading[1]
        elif underlined and _stands_alone(lines):
            yield Part(text="\n".join(lines[:-1]), unit="section", name=name)
            lines, name = [lines[-1], line], lines[-1].strip()
        else:
            lines.append(line)
    yield Part(text="\n".join(lines), unit="section", name=name)


def _after_fence(fence: str, mark: str) -> str:
    if not fence:
        return mark
    return "" if mark[0] == fence[0] and len(mark) >= len(fence) else fence


def _stands_alone(lines: list[str]) -> bool:
    """Whether the last line is a paragraph of one line, which an underline makes a heading."""
    if not lines or not _PLAIN_LINE.match(lines[-1]):
        return False
    return len(lines) == 1 or not lines[-2].strip()
