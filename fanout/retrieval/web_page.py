"""An HTML page as parts: the text a reader sees, one part per heading, the title first."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from fanout.retrieval.extracted import Part

_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "object"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_OTHER_BLOCKS = """
address article aside blockquote body br caption dd details div dl dt fieldset figcaption
figure footer form header hr li main nav ol option p pre section summary table tr ul
"""
_BLOCKS = _HEADINGS | frozenset(_OTHER_BLOCKS.split())
_CELLS = frozenset({"td", "th"})


def html_parts(text: str) -> Iterator[Part]:
    page = _Page()
    page.feed(text)
    page.close()
    page.end_part()
    title = " ".join("".join(page.title).split())
    # Most pages repeat their title as the first heading.
    if title and not (page.parts and page.parts[0].name == title):
        yield Part(text=title, unit="section", name=title)
    yield from page.parts


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.parts: list[Part] = []
        self._pieces: list[str] = []
        self._heading: list[str] = []
        self._name = ""
        self._inside: str = ""
        """The title or heading that is open."""
        self._unseen = ""
        """The element whose text is not shown."""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen:
            self._depth += tag == self._unseen
        elif tag in _UNSEEN:
            self._unseen, self._depth = tag, 1
        elif tag in _HEADINGS:
            self.end_part()
            self._inside, self._heading = tag, []
        elif tag == "title":
            self._inside = tag
        elif tag in _BLOCKS:
            self._pieces.append("\n")
        elif tag in _CELLS:
            self._pieces.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            self._depth -= tag == self._unseen
            self._unseen = self._unseen if self._depth else ""
        elif tag == self._inside:
            self._inside = ""
            if tag in _HEADINGS:
                self._name = " ".join("".join(self._heading).split())
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._inside == "title":
            self.title.append(data)
            return
        if self._inside:
            self._heading.append(data)
        self._pieces.append(data)

    def end_part(self) -> None:
        lines = (" ".join(line.split()).strip("| ") for line in "".join(self._pieces).split("\n"))
        text = "\n".join(line for line in lines if line)
        if text:
            self.parts.append(Part(text=text, unit="section", name=self._name))
        self._pieces, self._name = [], ""
