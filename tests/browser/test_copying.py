"""What lies on the clipboard after a copy, with the browser's clipboard and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import STORY, App
from tests.browser.steps import BRANCHES, OpenPage, expect_answer, region, run

pytestmark = pytest.mark.browser
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
"""As on a page over plain http from another machine."""
NOTHING_WORKS = f"{NO_CLIPBOARD} document.execCommand = () => false;"


def finished_run(app: App, open_page: OpenPage, script: str = "") -> Page:
    page = open_page(app.url, script=script)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    run(page, "a quick note")
    expect_answer(page)
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()
    return page


def pasted(page: Page) -> str:
    """What the Topic field gets from the clipboard."""
    topic = page.get_by_label("Topic", exact=True)
    topic.fill("")
    topic.focus()
    page.keyboard.press("Control+V")
    expect(topic).not_to_have_value("")
    return topic.input_value()


@pytest.mark.parametrize("script", ["", NO_CLIPBOARD], ids=["clipboard", "without"])
def test_a_column_is_copied_as_it_was_written(app: App, open_page: OpenPage, script: str) -> None:
    page = finished_run(app, open_page, script)
    button = page.get_by_role("button", name="Copy Story")
    button.click()
    expect(button).to_have_attribute("data-said", "Copied")
    expect(page.locator(".board [aria-live]")).to_have_text("Copied")
    assert pasted(page) == STORY.strip(), "Markdown and all"


@pytest.mark.parametrize("script", ["", NO_CLIPBOARD], ids=["clipboard", "without"])
def test_everything_is_copied_under_its_headings(
    app: App, open_page: OpenPage, script: str
) -> None:
    page = finished_run(app, open_page, script)
    page.get_by_role("button", name="Copy everything").click()
    expect(page.locator(".board [aria-live]")).to_have_text("Copied")
    columns = [f"## {name}\n\n{STORY.strip()}" for name in BRANCHES]
    answer = "## Synthesis of 3 of 3\n\nAll three, in one piece."
    assert pasted(page).strip() == "\n\n".join([*columns, answer])


def test_a_browser_that_allows_no_copying_is_told_so(app: App, open_page: OpenPage) -> None:
    page = finished_run(app, open_page, NOTHING_WORKS)
    page.get_by_role("button", name="Copy Joke").click()
    expect(page.locator(".board [aria-live]")).to_have_text(
        "This browser does not allow copying here"
    )


def test_a_column_is_copied_while_it_is_written_and_not_before(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page, "a crowded place")
    expect(region(page, "Story")).to_contain_text("retrying in")
    expect(page.get_by_role("button", name="Copy Story")).to_be_disabled()
    expect(page.get_by_role("button", name="Copy everything")).to_be_disabled()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name="Stopped after")).to_be_visible()
    run(page, "an unhurried day")
    expect(region(page, "Story")).to_contain_text("with care. Once upon")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy Story").click()
    expect(page.locator(".board [aria-live]")).to_have_text("Copied")
    expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
    assert pasted(page).startswith("Once upon a time there was a branch that wrote **slowly**")
