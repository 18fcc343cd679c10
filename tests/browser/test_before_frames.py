"""A board whose run has not been told yet: it promises no act that may not be there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App
from tests.browser.steps import BRANCHES, OpenPage, expect_answer, region, run

pytestmark = pytest.mark.browser


def test_columns_offer_neither_stop_nor_retry_before_the_run_is_told(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page, "quick words")
    expect_answer(page)
    # Taken by the test and never answered, as by a network that is slow.
    page.route_web_socket("**/api/runs/**", lambda _: None)
    page.reload()
    for name in BRANCHES:
        expect(region(page, name)).to_be_visible()
        expect(region(page, name).get_by_role("button", name=f"Copy {name}")).to_be_visible()
        assert region(page, name).locator(".text").inner_text() == ""
        assert region(page, name).get_by_role("button", name="Stop").count() == 0
        assert region(page, name).get_by_role("button", name="Retry").count() == 0
