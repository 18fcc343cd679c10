"""HTML made of elements: every text is escaped unless it says that it is markup already.

A `str` is text that somebody wrote, `Markup` is what this module or the sanitising renderer made.
So forgetting to escape can't happen: it takes a call of `trusted` to let anything through.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from fanout.render.sanitise import clean_text

VOID = frozenset({"br", "hr", "meta", "link"})
"""Of HTML; what is drawn is closed like any other element."""


class Markup(str):
    """HTML that may be written out as it is."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"
Attribute: TypeAlias = str | int | float | bool | None

NOTHING = Markup("")


def el(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """One element. `class_` is class, `data_of` is data-of; None and False leave one out."""
    opening = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    if tag in VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Markup:
    """Texts and markup in one, nothing between them."""
    return Markup("".join(map(_child, children)))


def between(separator: str, parts: Iterable[Child]) -> Markup:
    """The parts that there are, with a text between each two."""
    shown = [part for part in (join([each]) for each in parts) if part]
    return Markup(text(separator).join(shown))


def text(words: str) -> Markup:
    """A text as a reader sees it: escaped, without characters that could mislead."""
    return Markup(escape(clean_text(words), quote=False))


def trusted(html: str) -> Markup:
    """HTML from the sanitising renderer, or written in this package."""
    return Markup(html)


def bdi(words: str) -> Markup:
    """Somebody's words inside a line of ours, whichever direction they run in."""
    return el("bdi", words)


def _child(child: Child) -> str:
    match child:
        case None:
            return ""
        case Markup():
            return child
        case str():
            return text(child)
        case _:
            return join(child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    shown = name.removesuffix("_").replace("_", "-")
    if value is True:
        return f" {shown}"
    return f' {shown}="{escape(clean_text(_number(value)))}"'


def _number(value: str | int | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
