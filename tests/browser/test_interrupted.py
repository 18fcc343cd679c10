"""The app killed in mid-run: started again, the page says so, and one button carries the run on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from fanout.providers.scripted_server import serving
from tests.browser.conftest import SCRIPT, asking
from tests.browser.steps import expect_answer, expect_growth, region, run, text_of
from tests.rig import free_port


def test_a_run_that_was_killed_is_shown_as_interrupted_and_resumed(
    tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    port = free_port()
    with serving(SCRIPT) as endpoint:
        with asking(endpoint, tmp_path, port) as app:
            page = open_page(app.url)
            run(page, "unhurried work")
            expect_growth(page, "Story", 400)
            # Nothing is written down of the last second.
            written = text_of(page, "Story")[:200]
            app.process.kill()
            app.process.wait(20)
        address = page.url
        assert "run=" in address
        asked = len(endpoint.requests)
        with asking(endpoint, tmp_path, port):
            page.goto(address)
            expect(page.get_by_text("Interrupted: Fanout ended before this run did")).to_be_visible(
                timeout=60_000
            )
            expect(region(page, "Story")).to_contain_text(written[:40])
            page.get_by_role("button", name="Resume").click()
            expect_answer(page)
            expect(page.get_by_role("button", name="Resume")).to_have_count(0)
            expect(region(page, "Story").locator(".text")).to_have_text(re.compile(r"\S{3,}"))
            assert len(endpoint.requests) - asked == 3 + 1
