"""Limits, failures and stragglers on the board, as a recorded run tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.disk_page import Opened, axe, opening, page_of
from tests.render.under_fire import TEXT, survived, under_fire

pytestmark = pytest.mark.browser

SAID = {
    "Slot": ("Queued", "Waiting for a free slot: 7 others are being answered."),
    "Rate": ("Queued", "Rate limit of Acme reached: goes on in 12 s."),
    "Pause": ("Queued", "Acme asked everybody to wait: goes on in 2.2 s."),
    "Prefix": ("Queued", "Opener opens the way: both begin with the same text."),
    "Thinker": ("Thinking", "Thinking (312 tokens so far)"),
    "Retry": ("Rate limited: retrying in 2.2 s (2 of 4)", "Acme asked to wait."),
    "Fallback": ("Server error: falling back to small in 0.7 s", "Nothing is lost"),
    "Fallen": ("Writing", "Answered by small (fallback: big failed)"),
    "Restart": ("retrying in 2.2 s (2 of 4)", "Broke off in mid-answer, begun anew (2 of 4)"),
    "Dropped": ("Failed", "What it had written before it broke off is shown."),
    "Hedge": ("Waiting for first token", "Second request sent after 2.1 s: first word was late"),
    "Won": ("Done", "The second request answered first"),
    "Lost": ("Writing", "The first one answered first"),
    "Budget": ("Skipped: budget", "$0.004 is left."),
    "Late": ("Done, late", "Not in this answer: it came after the answer was begun."),
    "Straggler": ("Writing", "Too late for the combined answer"),
}


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    with opening(browser, tmp_path) as open_it:
        yield open_it


@pytest.mark.parametrize("width", [1360, 390])
def test_every_column_says_what_it_waits_for_and_what_was_done(open_file, width) -> None:
    opened = open_file(page_of(under_fire()), width=width)
    page = opened.page
    for title, sentences in SAID.items():
        column = page.get_by_role("region", name=title, exact=True)
        for sentence in sentences:
            expect(column).to_contain_text(sentence)
    expect(page.get_by_text("Combined when 2 of 18 were done")).to_contain_text(
        "ends in 4 min 56 s at the latest"
    )
    heights = {round(card.bounding_box()["height"]) for card in page.locator(".grid .card").all()}
    assert len(heights) == 1, "notes and marks make no column taller"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []
    assert opened.errors == []
    assert all(address.startswith("file:") for address in opened.asked)


def test_countdowns_follow_the_clock_of_a_replay(open_file) -> None:
    page = open_file(page_of(survived())).page
    line = page.get_by_role("slider", name="Position in the replay")
    restart = page.get_by_role("region", name="Restart", exact=True)
    expect(restart).to_contain_text("virus")
    for second, chip in ((2.0, "retrying in 4.0 s (2 of 4)"), (5.0, "retrying in 1.0 s (2 of 4)")):
        line.evaluate(
            "(it, at) => { it.value = at; it.dispatchEvent(new Event('input')); }", second
        )
        expect(restart).to_contain_text(chip)
        expect(restart).not_to_contain_text("virus")
    line.evaluate("it => { it.value = 1; it.dispatchEvent(new Event('input')); }")
    expect(restart).to_contain_text(TEXT.replace("**", ""))
    expect(restart).not_to_contain_text("Broke off")
