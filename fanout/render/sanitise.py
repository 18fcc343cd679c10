"""Untrusted Markdown to HTML that loads nothing, runs nothing and links only where it says.

Two walls: the parser is told to make no raw HTML, no image and no reference link, and what it made
then passes an allow-list of tags and attributes. Nothing that a text says can become a style, a
class, an id or a request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]")
"""Control characters but newline and tab, and marks that can turn the order of a line around."""
_LONE = re.compile("[\ud800-\udfff]")

_PLAIN = re.compile(r"""(?:[^\W\d_]|\d+(?![\d.)]))[^\n\\`*_\[\]<>&~\xa0]*""")
"""One line that starts with a letter, or with a number that counts no list, and holds no sign that
Markdown or HTML would read."""

_TOP = ("p", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table")
_cleaner = nh3.Cleaner(
    tags={
        *_TOP,
        *("li", "pre", "strong", "em", "del", "s", "code", "hr", "br", "a"),
        *("thead", "tbody", "tr", "th", "td"),
    },
    clean_content_tags={"script", "style"},
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    tag_attribute_values={tag: {"dir": {"auto"}} for tag in _TOP},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)

_HEADINGS = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}
"""Most models begin at the second level, which must follow the column's own heading."""


def clean_text(text: str) -> str:
    """The text without characters that no reader sees and that could mislead one."""
    return _LONE.sub("\ufffd", _DROPPED.sub("", text))


def html_of(source: str) -> str:
    """Sanitised HTML of cleaned Markdown; headings begin at h3, below those of page and column."""
    line = source.strip("\n")
    if _PLAIN.fullmatch(line):
        return f'<p dir="auto">{line.strip()}</p>\n'
    return _cleaner.clean(str(_markdown.render(source)))


def block_starts(source: str) -> tuple[list[int], Token | None]:
    """The line at which each top-level block begins, and the first block's opening token."""
    tokens: list[Token] = []
    _markdown.block.parse(source, _markdown, {}, tokens)
    tops = [token for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]
    return [token.map[0] for token in tops if token.map], tops[0] if tops else None


def _fit_in(state: StateCore) -> None:
    """Put headings below those of page and column, and let each block find its own direction."""
    for token in state.tokens:
        if token.level == 0 and token.nesting == 1:
            token.attrSet("dir", "auto")
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADINGS[token.tag]


def _image(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    i: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """Its description in words: a picture would be a request to somebody's server."""
    alt = renderer.renderInlineAsText(tokens[i].children or [], options, env)
    return escapeHtml(alt or "image")


def _parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
    markdown.enable(["table", "strikethrough"])
    # A definition further down would change blocks above that are closed already.
    markdown.disable(["reference", "html_block", "html_inline"])
    markdown.core.ruler.push("fit_in", _fit_in)
    markdown.add_render_rule("image", _image)
    return markdown


_markdown = _parser()
