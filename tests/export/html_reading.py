"""A report taken apart as a browser would, refusing what isn't well-formed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr"}
SILENT = {"script", "style", "title", "desc", "head"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    tag: str
    attributes: dict[str, str | None]


@dataclass(slots=True)
class Report:
    elements: list[Element] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    text: str = ""
    """What a person can read, details unfolded, in one line."""

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def values(self, attribute: str) -> list[str]:
        return [e.attributes[attribute] or "" for e in self.elements if attribute in e.attributes]

    @property
    def policy(self) -> str:
        (found,) = [
            e.attributes.get("content") or ""
            for e in self.all("meta")
            if e.attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.report = Report()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag} {names}>"
        self.report.elements.append(Element(tag=tag, attributes=dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.report.scripts.append("")
        if tag == "style":
            self.report.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.report.scripts[-1] += data
        elif inside == "style":
            self.report.styles[-1] += data
        elif not SILENT.intersection(self.open):
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data[:60]}")


def read_report(html: str) -> Report:
    """The report's parts; an assertion fails where it is not well-formed."""
    assert html.startswith("<!doctype html>\n<html"), "no doctype"
    html.encode()
    assert "\0" not in html
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    # Markup that wraps words must not part them.
    reader.report.text = " ".join("".join(reader.words).replace("\u2060", "").split())
    ids = reader.report.values("id")
    assert len(ids) == len(set(ids)), "an id twice"
    known = {*ids}
    lost = {h for h in reader.report.values("href") if h.startswith("#") and h[1:] not in known}
    assert not lost, f"links that lead nowhere: {lost}"
    return reader.report
