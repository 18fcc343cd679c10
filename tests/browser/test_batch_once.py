"""A double click in a real browser: what costs money is begun once, and its page is shown."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.steps import OpenPage
from tests.browser.test_batch import HEAD, LONG_S, in_state, press

pytestmark = pytest.mark.browser
MANY, MORE = 6_000, 9_000
"""Keeping them takes long enough for the second half of the click to come meanwhile."""


def upload(page: Page, first: int, count: int, name: str) -> None:
    """Rows that nobody gets to the end of."""
    numbers = range(first, first + count)
    lines = [",".join(HEAD), *(f"{n},an endless thing of number {n},calm" for n in numbers)]
    page.locator("input[type=file]").set_input_files(
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    )


def clicked_twice(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=re.compile(name))
    button.wait_for(timeout=LONG_S)
    at_rest(page)
    # As fast as a hand does it: quicker ones reach the server as a single click.
    button.dblclick(delay=100)
    at_rest(page)


def at_rest(page: Page) -> None:
    """Whatever was clicked has been worked on."""
    page.wait_for_timeout(300)
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached(timeout=LONG_S)


def test_a_double_click_starts_one_batch_and_adds_rows_once(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    page.goto(f"{app.url}/batch")
    press(page, "New batch")
    upload(page, 1, MANY, "once")
    clicked_twice(page, "^Start 6,000 rows$")
    expect(in_state(page, "Running")).to_be_visible(timeout=LONG_S)
    press(page, "^Stop$")
    expect(in_state(page, "Stopped")).to_be_visible(timeout=LONG_S)
    press(page, "^Add rows$")
    expect(page.get_by_role("heading", name="Add rows to once")).to_be_visible()
    upload(page, MANY + 1, MORE, "more")
    clicked_twice(page, "^Add 9,000 rows$")
    expect(page.get_by_role("heading", name="once", exact=True)).to_be_visible(timeout=LONG_S)
    expect(page.get_by_text("of 15,000 rows ended").first).to_be_visible()
    press(page, "^All batches$")
    expect(page.get_by_role("link", name=re.compile("^once"))).to_have_count(1)
    expect(page.get_by_text("Creative trio").filter(has_text="of 15,000 rows")).to_be_visible()
