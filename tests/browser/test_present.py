"""A run on a projector: large, without controls, revealed by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.disk_page import Opened, axe, opening, page_of
from tests.browser.steps import OpenPage, region, run
from tests.render.recorded_run import recorded_run

pytestmark = pytest.mark.browser
NUMBER = "12.0 s instead of 25.8 s"
NAMES = ("joke", "story", "poem", "riddle", "song")


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    with opening(browser, tmp_path) as open_it:
        yield open_it


def presented(open_file, *, names=NAMES[:3], **kind) -> Page:
    html = page_of(recorded_run(names)).replace(
        "<h1>Replay</h1>", '<button data-present="replay-data">Present</button>'
    )
    page = open_file(html, **{"width": 1920, "height": 1080, **kind}).page
    page.get_by_role("button", name="Present").click()
    expect(stage(page)).to_be_visible()
    return page


def stage(page: Page) -> Locator:
    return page.get_by_role("dialog")


def revealed(page: Page) -> list[str]:
    """Titles of the cards whose text can be read."""
    return [
        card.get_attribute("aria-label") or ""
        for card in stage(page).get_by_role("region").all()
        if card.locator(".text").count() and card.locator(".text").is_visible()
    ]


def test_keys_reveal_branch_by_branch_then_the_answer_then_the_number(open_file) -> None:
    page = presented(open_file)
    assert revealed(page) == []
    seen = []
    for key in ("ArrowRight", "Space", "PageDown"):
        page.keyboard.press(key)
        seen.append(revealed(page))
    assert seen == [["Joke"], ["Joke", "Story"], ["Joke", "Story", "Poem"]]
    page.keyboard.press("ArrowRight")
    assert revealed(page) == ["Combined answer"]
    page.keyboard.press("ArrowRight")
    expect(stage(page).get_by_text(NUMBER, exact=True)).to_be_visible()
    expect(
        stage(page).get_by_text("2.2 times faster than one after another", exact=True)
    ).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(stage(page).get_by_text(NUMBER, exact=True)).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert revealed(page) == ["Joke", "Story", "Poem"]


def test_text_can_be_read_from_the_last_row_and_no_control_is_seen(open_file) -> None:
    page = presented(open_file, names=NAMES)
    page.keyboard.press("ArrowRight")
    column = stage(page).get_by_role("region", name="Joke")
    size = column.locator(".text p").first.evaluate("node => getComputedStyle(node).fontSize")
    assert 28 <= float(size.removesuffix("px")) <= 32
    box = column.bounding_box()
    assert box is not None
    assert box["width"] >= 540
    assert [one for one in stage(page).get_by_role("button").all() if one.is_visible()] == []


def test_more_branches_than_fit_come_on_further_pages(open_file) -> None:
    page = presented(open_file, names=NAMES)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert revealed(page) == ["Riddle"]
    page.keyboard.press("a")
    assert revealed(page) == [*(name.title() for name in NAMES), "Combined answer"]


def test_r_plays_as_if_live_and_the_number_appears_at_the_end(open_file) -> None:
    page = presented(open_file)
    page.keyboard.press("r")
    expect(stage(page).get_by_role("region", name="Joke").locator(".chip")).to_contain_text(
        "Writing"
    )
    assert not stage(page).get_by_text("instead of").is_visible()
    expect(stage(page).get_by_role("region", name="Combined answer")).to_be_visible()
    expect(stage(page).get_by_text(NUMBER, exact=True)).to_be_visible()


def test_help_comes_by_key_and_goes_by_itself_and_escape_leaves(open_file) -> None:
    page = presented(open_file)
    page.keyboard.press("?")
    expect(page.get_by_text("replay as if live")).to_be_visible()
    expect(page.get_by_text("replay as if live")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Present")).to_be_focused()


def test_f_fills_the_screen(open_file) -> None:
    page = presented(open_file)
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")


@pytest.mark.parametrize(("width", "dark"), [(1920, False), (1920, True), (390, True)])
def test_axe_finds_nothing_on_a_projector(open_file, width: int, dark: bool) -> None:
    page = presented(open_file, width=width, color_scheme="dark" if dark else "light")
    for key in ("ArrowRight", "ArrowRight", "a", "End", "h"):
        page.keyboard.press(key)
        page.wait_for_timeout(400)  # what appears is faint at first
        assert axe(page) == [], key
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_live_run_is_presented_as_it_is_written(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page, "unhurried rain")
    page.wait_for_url("**/?run=*")
    page.goto(page.url.replace("/?run=", "/present/"))
    story = region(page, "Story")
    expect(story).to_contain_text("Once upon a time")
    expect(story.locator(".chip")).to_contain_text("Writing")
    expect(region(page, "Combined answer")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("instead of")).to_be_visible(timeout=60_000)
    page.keyboard.press("r")
    expect(story.locator(".chip")).to_contain_text("Writing")
    page.keyboard.press("q")
    page.wait_for_url("**/?run=*")
