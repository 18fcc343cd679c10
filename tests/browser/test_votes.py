"""Votes, scores and rankings on the page: the verdict, who stands where, and every ballot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from fanout.providers.scripted_server import serving
from tests.browser.conftest import App, asking
from tests.browser.steps import region, run
from tests.browser.voting_script import VOTES

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
THREE_TEXTS = "Short.\n---\nA longer text.\n---\nThe third text of them."


@pytest.fixture(scope="module")
def voting_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with serving(VOTES) as endpoint, asking(endpoint, tmp_path_factory.mktemp("votes")) as app:
        yield app


def finished(page: Page, workflow: str, topic: str) -> Page:
    """The page once that workflow has run and all of its results are drawn."""
    page.get_by_role("combobox", name=re.compile("Workflow")).click(delay=150)
    page.get_by_role("option", name=workflow, exact=True).click(delay=150)
    promise = {"Moderation": "several moderators", "Judges": "rubric", "Reasoning": "thought"}
    expect(page.get_by_text(re.compile(promise[workflow], re.I)).first).to_be_visible()
    run(page, topic)
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    # Charts that come later move what stands below them away from under the mouse.
    expect(page.locator(".js-plotly-plot").nth(3)).to_be_visible()
    return page


def verdict(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible()


def test_moderators_make_a_verdict_and_the_minority_is_named(
    voting_app: App, open_page: OpenPage
) -> None:
    page = finished(open_page(voting_app.url, height=3600), "Moderation", "You people!")
    verdict(page, "Block: majority 3 of 5")
    expect(region(page, "Combined answer")).to_contain_text("Honesty (allow): Nobody is asked")
    expect(page.get_by_text("5 valid of 5 asked · agreement 60% · margin 20")).to_be_visible()
    expect(page.get_by_text("Rule: more than half of the valid votes")).to_be_visible()
    expect(region(page, "Safety")).to_contain_text("Severity 4 of 4")


def test_what_a_moderator_wrote_is_shown_raw_and_never_becomes_markup(
    voting_app: App, open_page: OpenPage
) -> None:
    page = finished(open_page(voting_app.url, height=3600), "Moderation", "You people!")
    page.get_by_text("Raw answers", exact=True).click(delay=150)
    expect(page.locator("code").filter(has_text='"category": "violence"')).to_contain_text(
        "<img src=x onerror=alert(1)>"
    )
    expect(page.locator("img[src='x']")).to_have_count(0)


def test_a_tie_of_answers_stays_a_tie_and_shows_who_gave_which(
    voting_app: App, open_page: OpenPage
) -> None:
    page = finished(open_page(voting_app.url, height=3600), "Reasoning", "How much for three?")
    verdict(page, "Tie between 36 and 12, 2 each")
    expect(page.get_by_text("An even number of votes can split in half")).to_be_visible()
    expect(region(page, "Combined answer")).to_contain_text("The answer names no final answer.")


def test_votes_that_are_not_needed_are_called_off_and_the_saving_is_told(
    voting_app: App, open_page: OpenPage
) -> None:
    page = finished(open_page(voting_app.url, height=3600), "Reasoning", "Three, in a hurry")
    verdict(page, "36: all 3 valid votes agree")
    expect(page.get_by_text(re.compile("2 votes were not needed: about .* saved"))).to_be_visible()


def test_judges_score_a_text_and_a_dispute_is_named(voting_app: App, open_page: OpenPage) -> None:
    page = finished(open_page(voting_app.url, height=3600), "Judges", "One text to judge.")
    verdict(page, "Overall 3.8")
    expect(page.get_by_text("3 of 3 judges · scale 1 to 5")).to_be_visible()
    expect(page.get_by_text(re.compile("Krippendorff's alpha .*: the judges agree"))).to_have_count(
        2
    )
    expect(page.locator(".js-plotly-plot").first).to_contain_text("disputed")


def test_several_texts_are_ranked_and_each_judge_s_order_can_be_opened(
    voting_app: App, open_page: OpenPage
) -> None:
    page = finished(open_page(voting_app.url, width=390, height=5600), "Judges", THREE_TEXTS)
    expect(page.get_by_text(re.compile(r"\d of 3 judges ranked"))).to_be_visible()
    page.get_by_text("Who saw which order", exact=True).click(delay=150)
    expect(page.get_by_text("without names and in an order of its own")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing is wider than the phone"
