"""Batches in a real browser: from a file to results, tried, paused, watched by two, handed over."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.steps import OpenPage, region
from tests.browser.test_accessibility import LOOKS, findings

pytestmark = pytest.mark.browser

HEAD = ["number", "question", "tone"]
LONG_S = 60_000


def file_of(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *rows])
    return text.getvalue().encode()


def quick(count: int) -> list[list[str]]:
    return [[str(n), f"a quick thing, number {n}", "calm"] for n in range(1, count + 1)]


def begun(page: Page, app: App, rows: list[list[str]], name: str) -> None:
    """The page of a new batch with that file chosen."""
    page.goto(f"{app.url}/batch")
    page.get_by_role("button", name="New batch").click()
    upload(page, rows, name)
    page.get_by_role("button", name=re.compile(r"^Start \d+ rows?$")).wait_for()


def upload(page: Page, rows: list[list[str]], name: str) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": file_of(rows)}
    )


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(name)).click()


def lines(page: Page, word: str) -> Locator:
    """Rows of the table in that state."""
    return page.get_by_role("table", name="Rows of the batch").get_by_text(word, exact=True)


def in_state(page: Page, state: str) -> Locator:
    return page.locator("strong", has_text=re.compile(f"^{state}$"))


def test_a_file_is_mapped_tried_on_three_rows_carried_out_and_handed_over(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    repeated, empty, broken = (
        ["9", "a quick thing, number 2", ""],
        ["10", "", ""],
        ["11", "broken", ""],
    )
    begun(page, app, [*quick(6), repeated, empty, broken], "things")
    expect(page.get_by_text("1 row repeated, 1 row without a topic")).to_be_visible()
    expect(page.get_by_text("Not in any prompt: number, tone.")).to_be_visible()
    page.get_by_text("Exact prompts of the first 3 rows").click()
    expect(page.locator("code", has_text="a quick thing, number 1").first).to_be_visible()
    press(page, "Try the first 3 rows")
    expect(in_state(page, "Trial over")).to_be_visible(timeout=LONG_S)
    expect(lines(page, "Answered")).to_have_count(3)
    expect(page.get_by_text("Time:", exact=False)).to_contain_text("from the 3 rows of the trial")
    asked = len(app.endpoint.requests)
    press(page, "Start the other 4 rows")
    expect(in_state(page, "Finished")).to_be_visible(timeout=LONG_S)
    expect(lines(page, "Answered")).to_have_count(6)
    expect(lines(page, "Left out")).to_have_count(2)
    # Three rows with three branches and an answer, and one whose three branches are refused.
    assert len(app.endpoint.requests) - asked == 3 * 4 + 3
    press(page, "Key not accepted · 1 row")
    expect(page.get_by_role("rowheader")).to_have_text(["broken"])
    press(page, "Key not accepted · 1 row")
    expect(page.get_by_role("rowheader")).to_have_count(9)
    press(page, "^Export")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^CSV")).click()
    kept = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert len(kept) == 10 and any("a quick thing, number 6" in row for row in kept)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Open row 2: a quick thing, number 2").click()
    expect(region(page, "Combined answer")).to_contain_text("in one piece")
    page.get_by_role("link", name="Row 2 of things").click()
    expect(page.get_by_role("heading", name="things", exact=True)).to_be_visible()
    page.goto(f"{app.url}/history?q=number+2")
    expect(page.get_by_text("No run fits the search and filters.")).to_be_visible()
    page.goto(f"{app.url}/history?q=number+2&rows=1")
    page.get_by_role("link", name="Batch of a quick thing, number 2").first.click()
    expect(page.get_by_role("heading", name="things", exact=True)).to_be_visible()


def test_a_batch_is_paused_goes_on_and_looks_the_same_to_a_second_viewer(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    begun(page, app, quick(12), "paused")
    page.get_by_role("spinbutton", name="Rows at once").fill("1")
    page.keyboard.press("Tab")
    press(page, "^Start 12 rows$")
    expect(lines(page, "Answered").first).to_be_visible(timeout=LONG_S)
    press(page, "^Pause$")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    # What the page showed last may be two seconds old.
    page.reload()
    expect(lines(page, "Answered").first).to_be_visible(timeout=LONG_S)
    expect(lines(page, "At work")).to_have_count(0, timeout=LONG_S)
    done = lines(page, "Answered").count()
    assert 0 < done < 12, "it was paused in the middle"
    page.reload()
    expect(lines(page, "Answered")).to_have_count(done)
    other = open_page(app.url)
    other.goto(page.url)
    expect(lines(other, "Answered")).to_have_count(done)
    press(other, "^Resume$")
    expect(in_state(page, "Finished")).to_be_visible(timeout=LONG_S)
    expect(in_state(other, "Finished")).to_be_visible(timeout=LONG_S)
    for viewer in (page, other):
        expect(lines(viewer, "Answered")).to_have_count(12)


@LOOKS
def test_axe_finds_nothing_serious_from_a_file_to_its_results(
    app: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = open_page(app.url, width=width, dark=dark)
    begun(page, app, [*quick(4), ["5", "a quick thing, number 1", ""], ["6", "broken", ""]], "axe")
    assert findings(page, sees="Pace and budget") == [], "a new batch"
    press(page, "^Start 5 rows$")
    expect(in_state(page, "Finished")).to_be_visible(timeout=LONG_S)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert findings(page, sees="Time a row took") == [], "a finished batch"
    table = page.get_by_role("table", name="Rows of the batch")
    heads = ["Row", "Topic", "State", "Answer", "Time", "Cost"]
    expect(table.get_by_role("columnheader")).to_have_text(heads)
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_count(len(heads) - 1)
    shown = table.locator("td.cost").first.evaluate(
        "td => getComputedStyle(td, '::before').content"
    )
    assert ("Cost" in shown) == (width < 680), "where no heading stands above it"
    press(page, "^All batches$")
    expect(page.get_by_role("link", name="axe").first).to_be_visible()
    assert findings(page, sees="batches") == [], "the list"
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "nothing has to be scrolled sideways"
