"""The page for people who don't see it, or not well: axe, names, headings and announcements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.steps import BRANCHES, OpenPage, expect_answer, region, run

pytestmark = pytest.mark.browser
LIGHT_DESKTOP = pytest.param(1360, False, id="light-desktop")
DARK_PHONE = pytest.param(390, True, id="dark-phone")
LOOKS = pytest.mark.parametrize(("width", "dark"), [LIGHT_DESKTOP, DARK_PHONE])
ALL_LOOKS = pytest.mark.parametrize(
    ("width", "dark"),
    [
        LIGHT_DESKTOP,
        DARK_PHONE,
        pytest.param(1360, True, id="dark-desktop"),
        pytest.param(390, False, id="light-phone"),
    ],
)

LISTEN = """board => {
  const told = window.told = [];
  const region = board.querySelector('[aria-live]');
  new MutationObserver(() => told.push(region.textContent)).observe(
    region, {childList: true, characterData: true, subtree: true});
  const speaking = board.querySelectorAll('[aria-live], [role=status], [role=alert]');
  return [region.getAttribute('aria-live'), speaking.length];
}"""
"""Write down what a screen reader would be told from now on."""


def findings(page: Page, *, sees: str = "") -> list[str]:
    """What axe calls serious or critical; nothing is left out, Streamlit's own parts included.

    `sees` is something to read near the page's end, which axe must have looked at.
    """
    with everything_on_screen(page):
        response = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response
    looked_at = [
        node["html"]
        for found in response["passes"] + response["violations"]
        if found["id"] == "color-contrast"
        for node in found["nodes"]
    ]
    assert any(sees in html for html in looked_at), f"axe did not look at {sees!r}"
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node.get('failureSummary', '')}"
        for found in response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@contextmanager
def everything_on_screen(page: Page) -> Iterator[None]:
    """A window as tall as the page: axe takes what has to be scrolled to for hidden."""
    size = page.viewport_size
    assert size is not None
    main = page.get_by_test_id("stMain")
    height = main.evaluate("main => main.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": height + 400})
    page.mouse.move(0, 0)  # what moves under the mouse would look hovered
    yield
    page.set_viewport_size(size)


def levels(page: Page) -> list[int]:
    """The levels of all headings in reading order."""
    tags = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(h => h.tagName)")
    return [int(tag[1]) for tag in tags]


def skips(found: list[int]) -> bool:
    return found[:1] != [1] or any(b > a + 1 for a, b in pairwise(found))


@ALL_LOOKS
def test_axe_finds_nothing_serious_on_a_run_from_its_beginning_to_its_end(
    app: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = open_page(app.url, width=width, dark=dark)
    expect(page.get_by_text("Or start with an example")).to_be_visible()
    assert findings(page, sees="The town council") == [], "the empty page"
    run(page)
    expect(region(page, "Story")).to_contain_text("Once upon")
    page.get_by_role("button", name="Stop Poem").click()
    expect(region(page, "Poem")).to_contain_text("Stopped")
    assert findings(page, sees="Stopped") == [], "a live run"
    expect_answer(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    assert findings(page, sees="How it ran") == [], "a finished run"


@LOOKS
def test_axe_finds_nothing_serious_where_things_go_wrong(
    app: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = open_page(app.url, width=width, dark=dark)
    run(page, "a crowded place")
    expect(region(page, "Story")).to_contain_text("retrying in")
    assert findings(page, sees="retrying in") == [], "a run that waits to retry"
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name="Stopped after")).to_be_visible()
    run(page, "a broken thing")
    expect(region(page, "Story")).to_contain_text("Failed")
    expect(page.get_by_role("heading", name="No answer after")).to_be_visible()
    assert findings(page, sees="Failed") == [], "a failed run"
    run(page, " ")
    expect(page.get_by_text("There is no topic yet")).to_be_visible()
    assert findings(page, sees="There is no topic yet") == [], "a refused topic"


def test_axe_looks_into_the_board(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page)
    title = region(page, "Story").locator("h2")
    title.evaluate("h => { h.style.color = '#eee'; }")
    assert any("color-contrast" in finding for finding in findings(page, sees="Story"))
    page.get_by_role("button", name="Copy Story").evaluate(
        "b => { b.removeAttribute('aria-label'); b.title = ''; }"
    )
    assert any("button-name" in finding for finding in findings(page, sees="Story"))


def test_regions_carry_their_branchs_name_and_are_busy_while_it_writes(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page)
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Once upon")
        expect(region(page, name)).to_have_attribute("aria-busy", "true")
    combined = region(page, "Combined answer")
    expect(combined).to_have_attribute("aria-busy", "false")
    expect_answer(page)
    for name in (*BRANCHES, "Combined answer"):
        expect(region(page, name)).to_have_attribute("aria-busy", "false")


def test_each_end_is_announced_once_politely_and_nothing_else_is(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page)
    expect(region(page, "Story")).to_contain_text("Once upon")
    manner, regions = page.locator(".board").evaluate(LISTEN)
    assert (manner, regions) == ("polite", 1)
    page.get_by_role("button", name="Stop Poem").click()
    expect_answer(page)
    expect(page.get_by_role("heading", name="instead of")).to_be_visible()
    told = ". ".join(page.evaluate("told")).split(". ")
    assert sorted(told) == sorted(
        [
            "Poem was stopped",
            "Joke is done",
            "Story is done",
            "Synthesis is done",
            "Run finished: 2 of 3",
        ]
    )
    assert told[0] == "Poem was stopped"
    assert told[-1] == "Run finished: 2 of 3"


def test_headings_go_down_one_level_at_a_time(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page, "a quick note")
    expect_answer(page)
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()
    found = levels(page)
    assert len(found) >= 9
    assert not skips(found), found
    assert skips([1, 3]) and skips([2]) and not skips([1, 2, 2, 3, 1])
