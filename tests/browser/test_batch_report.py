"""The report of a batch in a real browser: readable in every theme, and alone in the world."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from fanout.export.batch.formats import write
from tests.browser.disk_page import Opened, axe, opening
from tests.export.batches import batch, done, failed, some

Open = Callable[..., Opened]
HOSTILE = "</table><script>window.hurt=1</script><img src=http://far.example/x.png>"


@pytest.fixture
def open_it(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    with opening(browser, tmp_path) as open_it:
        yield open_it


def report() -> str:
    rows = [*some(), done(41, HOSTILE, HOSTILE), done(42, "wide" * 200), failed(43, HOSTILE)]
    out = io.BytesIO()
    estimate = {"low_usd": "0.01", "high_usd": "0.04", "basis": "the trial"}
    write(batch("topic", "lang", estimate=estimate), rows, "html", out)
    return out.getvalue().decode("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390])
def test_it_is_readable_fits_and_asks_for_nothing(open_it: Open, width: int, scheme: str) -> None:
    opened = open_it(report(), width=width, color_scheme=scheme)
    assert axe(opened.page) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate("window.hurt") is None
    assert opened.errors == []
    assert all(url.startswith(("file:", "data:")) for url in opened.asked)


def test_bars_are_as_long_as_their_numbers_say(open_it: Open) -> None:
    page = open_it(report()).page
    state = page.locator(".row", has_text="Failed").first
    groove, bar = (state.locator("rect").nth(n).bounding_box() for n in (0, 1))
    assert groove is not None
    assert bar is not None
    assert bar["width"] / groove["width"] == pytest.approx(4 / 43, abs=0.01)
    standing = page.locator(".standing").first
    heights = [box["height"] for box in (r.bounding_box() for r in standing.locator("rect").all())
               if box]  # fmt: skip
    assert max(heights) == pytest.approx(120, abs=1)


def test_all_of_it_is_on_paper(open_it: Open) -> None:
    opened = open_it(report())
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert opened.page.locator("#rows tbody tr").last.is_visible()
