"""The marks of provenance: a letter behind each sentence, and what it came from in the branches."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fanout.export.html.calls import Call, answer_anchor
from fanout.export.html.marking import TOKEN, Mark, Place, split_up
from fanout.export.html.markup import NOTHING, Markup, el, join
from fanout.snapshot import Aggregate

_CITATION = re.compile(r"\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A branch, or a passage that is cited, behind one sentence."""

    mark: str
    name: str
    shade: str
    href: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One sentence of an answer that says something."""

    id: str
    """Also the id of its line in the list of sentences."""
    text: str
    sources: tuple[Source, ...]
    """In column order; empty where none was found."""
    best: str
    """The shade of the best source."""
    why: str
    """What is missing where there is no source."""


def sentence_mark(told: Told, place: Place) -> Mark:
    """Underlined in the colour of its best source, its letters behind it."""
    look = f"told {told.best}" if told.sources else "told none"

    def wrap(piece: Markup) -> Markup:
        return el("span", piece, class_=look, data_s=told.id)

    return Mark(place=place, wrap=wrap, after=_letters(told))


def quote_marks(places: Mapping[str, Place], call: Call) -> list[Mark]:
    """What one branch gave: each stretch knows the sentences that it went into."""
    begun: set[str] = set()
    marks = []
    for place, names in split_up(places):
        new = [name for name in names if name not in begun]
        begun.update(new)
        anchors = [el("i", id=f"{call.anchor}-{name}", class_="spot") for name in new]
        marks.append(Mark(place=place, wrap=_quoted(anchors, names)))
    return marks


def cited(html: Markup, made: Aggregate) -> Markup:
    """Each "[2]" becomes a link to its passage, unless it is part of a link already."""
    out, links = [], 0
    for i, token in enumerate(TOKEN.split(html)):
        if i % 2:
            links += token.startswith("<a ") - (token == "</a>")
            out.append(token)
        else:
            out.append(token if links else _CITATION.sub(lambda found: _link(found, made), token))
    return Markup("".join(out))


def _link(found: re.Match[str], made: Aggregate) -> str:
    number = int(found[1])
    if not 1 <= number <= len(made.passages):
        return found[0]
    name = f"Passage {number}: {made.passages[number - 1].passage.title}"
    href = f"#{answer_anchor(made)}-p{number}"
    return el("a", found[0], href=href, class_="cite", aria_label=f"{found[0]} {name}")


def _letters(told: Told) -> Markup:
    """Each a link to where the words stand; a citation in the sentence is such a link already."""
    if any(f"[{one.mark}]" in told.text for one in told.sources):
        return NOTHING
    if told.sources:
        letters = [
            el("a", one.mark, href=one.href, class_=one.shade, aria_label=f"From {one.name}")
            for one in told.sources
        ]
    else:
        said = f"No source found{f': {told.why}' if told.why else ''}"
        letters = [el("a", "?", href=f"#{told.id}", class_="none", aria_label=said, title=said)]
    # A word joiner: the letters must not begin a line of their own.
    return join(["\u2060", el("sup", letters, class_="from", data_s=told.id)])


def _quoted(anchors: Sequence[Markup], names: Sequence[str]) -> Callable[[Markup], Markup]:
    left = list(anchors)

    def wrap(piece: Markup) -> Markup:
        # A stretch may be wrapped in several pieces, and an id must be there once.
        begins, left[:] = list(left), []
        return el("span", begins, piece, class_="quoted", data_of=" ".join(names))

    return wrap
