"""Text that others wrote, made fit to stand inside a Markdown document of ours.

It keeps its lists, tables and emphasis, while its headings go below the section that it stands in.
What could reach out of that section is taken away: an open code block, raw HTML, a comment that
never ends, a definition that turns other people's brackets into links, a picture that a viewer
would fetch. The result is then read as a viewer would read it; text that is still not tame stands
in a code block, which nothing can leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from fanout.render.sanitise import clean_text

LONGEST = 300_000
"""Characters up to which text is fitted in; what is longer stands as it was written."""
_PROBE = "Fanout goes on here"
_HTML = re.compile(r"<(?=[A-Za-z/!?])(?!https?://[^\s<>]*>)")
_PICTURE = re.compile(r"!(?=\[)")
_DEFINITION = re.compile(r"^([ >\-*+0-9.)\t]*)\[(?=[^\]\n]*(?:\]:|$))")
_ATX = re.compile(r"^(\s{0,3})#{1,6}(?=\s|$)")
_TICKS = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_OPENS_LIST = re.compile(r"^(\d{0,9})([-+=.)])(?=[\s=-]|$)")
_SAFE_LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)
_SCHEME = re.compile(r"\s*[^/?#\s]*:")


def section_text(text: str, level: int) -> str:
    """The text for a section whose own heading has that level; ends in one line break."""
    source = clean_text(text).strip("\n")
    if not source.strip():
        return ""
    if len(source) > LONGEST:
        return fenced(source)
    fitted = _closed(_shifted(_defused(source), level))
    return f"{fitted}\n" if _tame(fitted, level) else fenced(source)


def fenced(text: str, language: str = "") -> str:
    """The text as a code block that nothing in it can close."""
    source = clean_text(text).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", source)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{source}\n{fence}\n"


def line_text(text: str, limit: int = 200) -> str:
    """One line for a heading, a cell or a sentence; every mark in it stands for itself."""
    line = " ".join(clean_text(text).split())
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    marked = _MARKS.sub(r"\\\1", line)
    return _OPENS_LIST.sub(r"\1\\\2", marked)


def _defused(source: str) -> str:
    """Without what loads, links from afar or is HTML; code keeps every character."""
    code = {line for token in _tokens(source) for line in _code_lines(token)}
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if number not in code:
            lines[number] = _defused_line(line)
    return "\n".join(lines)


def _code_lines(token: Token) -> range:
    if token.type in ("fence", "code_block") and token.map:
        return range(*token.map)
    return range(0)


def _defused_line(line: str) -> str:
    line = _DEFINITION.sub(r"\1\\[", line)
    parts, at = [], 0
    for code in _TICKS.finditer(line):
        parts += [_inert(line[at : code.start()]), code[0]]
        at = code.end()
    return "".join((*parts, _inert(line[at:])))


def _inert(text: str) -> str:
    return _PICTURE.sub(r"\\!", _HTML.sub(r"\\<", text))


def _shifted(source: str, level: int) -> str:
    """Top-level headings begin one below `level`, and keep their distances."""
    lines = source.split("\n")
    found = [t for t in _tokens(source) if t.type == "heading_open" and not t.level and t.map]
    top = min((int(token.tag[1]) for token in found), default=1)
    for token in reversed(found):
        assert token.map is not None
        first, end = token.map
        marks = "#" * min(6, int(token.tag[1]) - top + level + 1)
        if token.markup.startswith("#"):
            lines[first] = _ATX.sub(rf"\g<1>{marks}", lines[first])
        else:
            words = " ".join(line.strip() for line in lines[first : end - 1])
            lines[first:end] = [f"{marks} {words}"]
    return "\n".join(lines)


def _closed(source: str) -> str:
    """A code block that was left open ends with the text."""
    last = next((t for t in reversed(_tokens(f"{source}\n\n{_PROBE}\n"))), None)
    if last is not None and last.type == "fence" and _PROBE in last.content:
        return f"{source}\n{last.markup}"
    return source


def _tame(source: str, level: int) -> bool:
    """Whether a reader who trusts every link and all HTML finds nothing of it out of place."""
    state: dict[str, object] = {}
    tokens = _trusting.parse(f"{source}\n\n{_PROBE}\n", state)
    if state.get("references") or len(tokens) < 3 or tokens[-2].content != _PROBE:
        return False
    if tokens[-3].type != "paragraph_open" or tokens[-3].level:
        return False
    return all(_in_place(token, level) for token in tokens)


def _in_place(token: Token, level: int) -> bool:
    if token.type in ("html_block", "html_inline", "image"):
        return False
    if token.type == "heading_open" and not token.level and int(token.tag[1]) <= level:
        return False
    if token.type == "link_open" and not _safe(str(token.attrGet("href") or "")):
        return False
    return all(_in_place(child, level) for child in token.children or ())


def _safe(href: str) -> bool:
    return not _SCHEME.match(href) or bool(_SAFE_LINK.match(href))


def _tokens(source: str) -> list[Token]:
    return list(_blocks(source))


def _blocks(source: str) -> Iterator[Token]:
    tokens: list[Token] = []
    _trusting.block.parse(source, _trusting, {}, tokens)
    yield from tokens


class _Trusting(MarkdownIt):
    """Takes every address for a link, as a careless viewer may."""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return True


def _reader() -> MarkdownIt:
    return _Trusting("commonmark", {"html": True}).enable(["table", "strikethrough"])


_trusting = _reader()
