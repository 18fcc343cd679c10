"""The live page in a real browser: what a person does, and what they must see."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.steps import expect_growth

pytestmark = pytest.mark.browser
BRANCHES = ("Joke", "Story", "Poem")
OpenPage = Callable[..., Page]


def region(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def run(page: Page, topic: str = "remote work") -> None:
    page.get_by_label("Topic", exact=True).fill(topic)
    page.get_by_role("button", name="Run", exact=True).click()


def words(locator: Locator) -> int:
    return len(locator.inner_text().split())


def test_columns_fill_at_the_same_time_then_one_answer_and_charts(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page)
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Once upon a time")
        expect(region(page, name)).to_have_attribute("aria-busy", "true")
    before = [words(region(page, name)) for name in BRANCHES]
    for name in BRANCHES:
        expect_growth(page, name)
    after = [words(region(page, name)) for name in BRANCHES]
    assert all(b < a for b, a in zip(before, after, strict=True)), "every column grew meanwhile"
    combined = region(page, "Combined answer")
    expect(combined).to_contain_text("All three, in one piece.", timeout=30_000)
    expect(combined).to_contain_text("Synthesis of 3 of 3")
    for name in BRANCHES:
        expect(region(page, name)).to_have_attribute("aria-busy", "false")
        expect(region(page, name)).to_contain_text("tok/s")
    number = re.compile(r"\d+\.\d s instead of \d+\.\d s")
    expect(page.get_by_role("heading", name=number)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)  # free of cost, so no cost chart
    expect(region(page, "Story").locator("strong").first).to_have_text("slowly")
    errors = page.get_by_text("Traceback")
    expect(errors).to_have_count(0)


def test_stop_ends_everything_in_mid_word_and_keeps_the_text(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page)
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Once upon")
    left = app.endpoint.disconnects
    page.get_by_role("button", name="Stop", exact=True).click()
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Stopped")
        expect(region(page, name)).to_contain_text("Once upon")
    assert app.endpoint.wait_until(lambda server: server.disconnects >= left + 3)
    expect(page.get_by_role("heading", name=re.compile("Stopped after"))).to_be_visible()


def test_one_branch_can_be_stopped_and_the_heading_says_so(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page)
    expect(region(page, "Poem")).to_contain_text("Once upon")
    page.get_by_role("button", name="Stop Poem").click()
    expect(region(page, "Poem")).to_contain_text("Stopped")
    expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
    expect(region(page, "Combined answer")).to_contain_text(
        "Synthesis of 2 of 3: Poem stopped", timeout=30_000
    )
    expect(page.get_by_role("button", name="Retry Poem")).to_be_visible()


def test_a_refresh_in_mid_run_brings_the_text_back_and_goes_on(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page)
    expect(region(page, "Story")).to_contain_text("with care. Once upon")
    page.wait_for_url("**/?run=*")
    page.reload()
    expect(region(page, "Story")).to_contain_text("with care. Once upon")
    expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_label("Topic", exact=True)).to_have_value("remote work")
    expect(region(page, "Combined answer")).to_contain_text("in one piece", timeout=30_000)


def test_two_tabs_watch_one_run_and_the_second_can_stop_it(app: App, open_page: OpenPage) -> None:
    first = open_page(app.url)
    run(first)
    first.wait_for_url("**/?run=*")
    second = open_page(first.evaluate("location.href"))
    for page in (first, second):
        expect(region(page, "Story")).to_contain_text("Once upon")
    second.get_by_role("button", name="Stop", exact=True).click()
    for page in (first, second):
        expect(region(page, "Story")).to_contain_text("Stopped")


def test_a_failed_branch_says_so_in_its_column_and_nowhere_else(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page, "a broken thing")
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Failed")
        expect(region(page, name)).to_contain_text("key")
        expect(page.get_by_role("button", name=f"Retry {name}")).to_be_visible()
    expect(region(page, "Combined answer")).to_contain_text("No combined answer")


def test_control_enter_runs(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    page.get_by_label("Topic", exact=True).fill("by keyboard alone")
    page.keyboard.press("Control+Enter")
    expect(region(page, "Story")).to_contain_text("Once upon")
    page.wait_for_url("**/?run=*")
    expect(page.get_by_label("Topic", exact=True)).to_have_value("by keyboard alone")


def test_an_empty_topic_is_refused_in_words(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page, "   ")
    expect(page.get_by_text("There is no topic yet")).to_be_visible()
    expect(page).not_to_have_url(re.compile("run="))


def test_an_unknown_run_gets_a_helpful_page(app: App, open_page: OpenPage) -> None:
    page = open_page(f"{app.url}/?run=nobody-knows-this")
    expect(page.get_by_text("There is no run nobody-knows-this here")).to_be_visible()
    page.get_by_role("button", name="Start a new run").click()
    expect(page.get_by_text("Or start with an example")).to_be_visible()


def test_an_example_runs_with_one_click(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    page.locator(".st-key-try-review button").click()
    for name in ("Pros", "Cons", "Recommendations"):
        expect(region(page, name)).to_contain_text("Once upon")


def test_another_page_and_back_leaves_the_run_alone(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    run(page)
    expect(region(page, "Story")).to_contain_text("Once upon")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Add an endpoint")).to_be_visible()
    page.get_by_role("link", name="Run").click()
    expect(region(page, "Story")).to_contain_text("Once upon")
    expect(page.get_by_label("Topic", exact=True)).to_have_value("remote work")
    expect(region(page, "Combined answer")).to_contain_text("in one piece", timeout=30_000)


def test_a_branch_added_switched_off_and_renamed_runs_as_edited(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    page.get_by_text("Edit branches").click()
    title = page.get_by_role("textbox", name="Title").first
    title.fill("Riddle")
    title.press("Tab")
    page.get_by_role("button", name="Add a branch").click()
    expect(page.get_by_role("textbox", name="Title")).to_have_count(4)
    expect(page.get_by_text("4 branches and 1 combining call")).to_be_visible()
    run(page)
    for name in ("Riddle", "Story", "Poem", "Branch 4"):
        expect(region(page, name)).to_contain_text("Once upon")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    app: App, open_page: OpenPage, dark: bool
) -> None:
    page = open_page(app.url, width=390, height=844, dark=dark)
    run(page)
    expect(region(page, "Combined answer")).to_contain_text("in one piece", timeout=30_000)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    boxes = [region(page, name).bounding_box() for name in BRANCHES]
    assert all(box is not None and box["x"] >= 0 and box["width"] <= 390 for box in boxes)


def test_model_text_runs_nothing_and_loads_nothing(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    run(page, "<img src=http://127.0.0.1:9/leak onerror=alert(1)> ![x](http://127.0.0.1:9/leak2)")
    expect(region(page, "Combined answer")).to_contain_text("in one piece", timeout=30_000)
    assert not [url for url in asked if "leak" in url]


def test_an_edit_is_run_although_run_is_clicked_straight_after_it(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    page.get_by_text("Edit branches").click()
    page.get_by_label("Topic", exact=True).fill("remote work")
    for title in ("Pun", "Quip"):
        page.get_by_role("textbox", name="Title").first.fill(title)
        page.get_by_role("button", name="Run", exact=True).click()
        expect(region(page, title)).to_contain_text("Once upon")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(region(page, title)).to_contain_text("Stopped")


def test_an_edit_survives_a_visit_to_another_page(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    page.get_by_text("Edit branches").click()
    expect(page.get_by_role("button", name="Add a branch")).to_be_visible()
    page.get_by_role("textbox", name="Title").first.fill("Limerick")
    # A hand takes a moment between press and release; in that moment the field hands over its text.
    page.get_by_role("link", name="Models").click(delay=150)
    expect(page.get_by_role("heading", name="Add an endpoint")).to_be_visible()
    page.get_by_role("link", name="Run").click()
    run(page)
    expect(region(page, "Limerick")).to_contain_text("Once upon")


def test_the_line_before_run_knows_a_branch_that_was_just_switched_off(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    page.get_by_text("Edit branches").click()
    page.get_by_text("On", exact=True).first.click()
    expect(page.get_by_text("2 branches and 1 combining call")).to_be_visible()


def test_back_leads_to_the_run_before_and_then_to_the_empty_page(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    topic = page.get_by_label("Topic", exact=True)
    for word in ("apples", "pears"):
        run(page, word)
        expect(region(page, "Story")).to_contain_text("Once upon")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(region(page, "Story")).to_contain_text("Stopped")
    page.go_back()
    expect(topic).to_have_value("apples")
    page.go_back()
    expect(page.get_by_text("Or start with an example")).to_be_visible()
