"""A database that can't be written for a while: open pages say so for as long, and no longer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from fanout.providers.scripted_server import serving
from tests.browser.conftest import SCRIPT, asking
from tests.browser.steps import expect_growth, run

TOLD = "Runs are not being written down"


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Another program writes there, and does not come to an end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_open_pages_say_that_nothing_is_written_for_as_long_as_that_is_so(
    tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    with serving(SCRIPT) as endpoint, asking(endpoint, tmp_path) as app:
        live = open_page(app.url)
        run(live, "endless work")
        expect_growth(live, "Story", 100)
        with held(tmp_path / "home" / "fanout.db"):
            expect(live.get_by_text(TOLD)).to_be_visible(timeout=30_000)
            empty = open_page(app.url)
            expect(empty.get_by_text(TOLD)).to_be_visible()
            # The end can't be written either, so it isn't shown.
            live.get_by_role("button", name="Stop", exact=True).first.click()
        for page in (live, empty):
            expect(page.get_by_text(TOLD)).to_have_count(0, timeout=30_000)
        expect(live.get_by_text("Stopped").first).to_be_visible()
