"""The main job as a newcomer does it: no key, no endpoint, the model on this machine answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, running_app
from tests.browser.steps import BRANCHES, OpenPage, region, run, text_of

pytestmark = [pytest.mark.browser, pytest.mark.model]
LOADED_MS = 120_000
WRITTEN_MS = 240_000
ENDED = {"done", "failed", "stopped", "timed_out"}
Look = dict[str, tuple[str, int]]
"""Of each column: its state and how many characters it shows."""

WATCH = """board => {
  window.seen = [];
  const text = (card) => card.querySelector('.text');
  const look = () => seen.push(Object.fromEntries([...board.querySelectorAll('section')].map(
    (card) => [card.ariaLabel, [card.dataset.state, text(card).innerText.length]])));
  new MutationObserver(look).observe(
    board, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


@pytest.fixture(scope="module")
def local_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with nothing set but where to write."""
    with running_app(tmp_path_factory.mktemp("local"), {}) as app:
        yield app


def watched_run(page: Page) -> None:
    run(page)
    region(page, "Joke").wait_for()
    page.locator(".board").evaluate(WATCH)
    for name in BRANCHES:
        words = region(page, name).locator(".text")
        expect(words).to_have_text(re.compile(r"\w+\s+\w+"), timeout=LOADED_MS)


def looks(page: Page) -> list[Look]:
    """Every picture that the board has shown since the run began."""
    found: list[Look] = page.evaluate("seen")
    return found


def all_writing(look: Look) -> bool:
    return all(look[name][0] == "writing" and look[name][1] > 0 for name in BRANCHES)


def test_stop_ends_the_model_in_mid_sentence_and_keeps_its_words(
    local_app: Server, open_page: OpenPage
) -> None:
    page = open_page(local_app.url)
    expect(page.get_by_text("real, small, free").first).to_be_visible()
    watched_run(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    for name in ("Story", "Poem"):
        expect(region(page, name)).to_contain_text("Stopped. The text so far is kept.")
    expect(region(page, "Combined answer")).to_contain_text("No combined answer")
    expect(page.get_by_role("heading", name="Stopped after")).to_be_visible()
    kept = {name: text_of(page, name) for name in BRANCHES}
    assert all(kept.values())
    page.reload()
    expect(region(page, "Poem")).to_contain_text("Stopped. The text so far is kept.")
    assert {name: text_of(page, name) for name in BRANCHES} == kept


def test_three_columns_fill_at_the_same_time_then_one_answer_and_charts(
    local_app: Server, open_page: OpenPage
) -> None:
    page = open_page(local_app.url)
    watched_run(page)
    combined = region(page, "Combined answer")
    expect(combined).to_contain_text("Done", timeout=WRITTEN_MS)
    expect(combined).to_contain_text("Synthesis of 3 of 3")
    seen = looks(page)
    together = [look for look in seen if all_writing(look)]
    assert together, "there was a moment when all three were being written"
    assert all(together[0][name][1] < together[-1][name][1] for name in BRANCHES), "and all grew"
    for look in seen:
        if not all(look[name][0] in ENDED for name in BRANCHES):
            assert look["Combined answer"][1] == 0, "nothing is combined before all are there"
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text(re.compile(r"\d+ tokens.* tok/s.*free"))
    assert len(text_of(page, "Combined answer").split()) > 5

    headline = re.compile(r"\d s instead of \d+")
    expect(page.get_by_role("heading", name=headline)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    expect(page.get_by_text("real, small, free").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
