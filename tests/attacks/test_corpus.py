"""The corpus is large and spread, and what renders a text on the server lets none of it through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from components.compare.marked import text_html
from fanout.export.html import html_report
from fanout.render.markdown import render
from tests.attacks.corpus import attacks, bundles, planted, texts
from tests.export.html_reading import read_report
from tests.export.test_html_hostile import assert_harmless

TAGS = frozenset(
    {
        *("p", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table", "li", "pre", "strong"),
        *("em", "del", "s", "code", "hr", "br", "a", "thead", "tbody", "tr", "th", "td"),
    }
)


class Tags(HTMLParser):
    """Start tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def tags(html: str) -> Iterator[tuple[str, dict[str, str]]]:
    reader = Tags()
    reader.feed(html)
    reader.close()
    return iter(reader.found)


def test_there_are_enough_attacks_and_no_two_alike() -> None:
    assert len(texts()) >= 200
    assert len(set(texts())) == len(texts())
    families = Counter(one.family for one in attacks())
    assert len(families) >= 12
    assert min(families.values()) >= 10


def unfit(html: str) -> list[str]:
    """What may not be in it: foreign tags and attributes, and links that lead to anything else."""
    found = []
    for tag, attributes in tags(html):
        kept = dict(attributes)
        if tag == "a":
            # One that would have led elsewhere has lost its address.
            fine = kept.pop("href", "https://").startswith(("http://", "https://", "mailto:"))
            fine &= kept.pop("rel") == "noopener noreferrer nofollow"
            fine &= kept.pop("target") == "_blank"
            found += [] if fine else [f"{tag} {attributes}"]
        if tag not in TAGS or not set(kept) <= {"dir", "start"}:
            found.append(f"{tag} {attributes}")
    return found


def test_rendered_markdown_holds_only_harmless_tags() -> None:
    for text in texts():
        for html in (render(text), render(f"> {text}"), render(f"- {text}")):
            assert unfit(html) == [], text


def test_what_swallows_a_text_does_not_make_another_dangerous() -> None:
    found = bundles(40)
    for _ in range(len(texts()) // 40 + 1):
        assert unfit(render(next(found))) == []


def test_the_check_notices_what_slipped_through() -> None:
    for bad in ("<b>", "<p onclick=x>", "<a href='data:x' rel='noopener noreferrer nofollow'>"):
        assert unfit(bad.replace(" rel", " target=_blank rel"))


def test_a_text_to_compare_adds_one_element_of_ours_around_it() -> None:
    for text in texts():
        around, *inner = tags(text_html(text, text))
        assert around[0] == "div"
        assert all(tag in TAGS for tag, _ in inner)
        assert not any(name.startswith("on") for name in around[1])


@pytest.mark.parametrize("run", planted(("creative-trio", "moderation", "judges", "research")))
def test_reports_of_planted_runs_are_harmless(run) -> None:
    assert_harmless(read_report(html_report(run)))
