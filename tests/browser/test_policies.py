"""The policies of a run in a real browser: fields stay unfolded while they change what is said."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App
from tests.browser.steps import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1360, 390])
def test_fields_stay_unfolded_while_the_line_above_them_changes(
    app: App, open_page: OpenPage, width: int
) -> None:
    page = open_page(app.url, width=width)
    expect(page.get_by_text("Waits for all · 4 attempts")).to_be_visible()
    page.locator(".st-key-policies_area summary").click()
    attempts = page.get_by_role("spinbutton", name="Attempts")
    attempts.fill("7")
    attempts.press("Enter")
    expect(page.get_by_text("Waits for all · 7 attempts")).to_be_visible()
    expect(attempts).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
