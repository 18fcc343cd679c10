"""Combining again, and before the slow ones are done, while the board goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from tests.browser.conftest import App, asking
from tests.browser.steps import OpenPage, expect_growth, region, run
from tests.browser.test_accessibility import findings

pytestmark = pytest.mark.browser

POINTS = json.dumps({"points": ["The lighthouse", "The kettle", "The ladder"]})
SLOW = "One word follows another, and none of them is in any hurry to arrive. " * 60
SCRIPT = Script(
    rules=(
        Rule(prompt="List the points", replies=(Reply(text=POINTS),)),
        Rule(prompt="- The ladder\n", replies=(Reply(text="All of the points, in order."),)),
        Rule(prompt="- My own point", replies=(Reply(text="Only what was ticked."),)),
        Rule(prompt="Compare", replies=(Reply(tokens_per_s=100),)),
        Rule(prompt="[Joke]", replies=(Reply(text="All three, in one piece."),)),
        Rule(prompt="Only two", replies=(Reply(text="Two of them, in one piece."),)),
        Rule(prompt="funny answer", replies=(Reply(text="A pun about a ladder."),)),
        Rule(
            prompt='leisure" as',
            replies=(Reply(text=SLOW, first_token_s=0.2, tokens_per_s=30),),
        ),
    ),
    otherwise=Reply(text="Dry words about a lighthouse."),
)


@pytest.fixture(scope="module")
def combining(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app asking an endpoint that combines in several ways."""
    with serving(SCRIPT) as endpoint, asking(endpoint, tmp_path_factory.mktemp("app")) as app:
        yield app


def finished(app: App, open_page: OpenPage, **look: object) -> Page:
    page = open_page(app.url, **look)
    run(page, "remote work")
    expect(region(page, "Combined answer")).to_contain_text("All three, in one piece.")
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()
    page.get_by_text("Combine again").click(delay=150)
    expect(page.get_by_role("radio", name="Comparison table")).to_be_visible()
    return page


def choose(page: Page, kind: str, promise: str) -> None:
    """Click it and wait for its fields, because what is below moves with them."""
    page.locator("label").filter(has_text=kind).click(delay=150)
    expect(page.get_by_role("radio", name=kind)).to_be_checked()
    expect(page.get_by_text(promise)).to_be_visible()
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible()


def combine(page: Page, button: str = "Combine") -> None:
    """By keyboard: under a mouse the button may still move while fields above it come and go."""
    page.get_by_role("button", name=button, exact=True).press("Enter")


def test_a_table_stands_beside_the_first_answer_and_no_branch_is_asked_again(
    combining: App, open_page: OpenPage
) -> None:
    page = finished(combining, open_page)
    asked = len(combining.endpoint.requests)
    choose(page, "Comparison table", "with a verdict per row")
    combine(page)
    second = region(page, "Combined answer 2: Comparison")
    expect(second).to_contain_text("Comparison of 3 of 3")
    expect(second.locator("th").first).to_have_text("Criterion")
    expect(second.locator("tbody tr")).to_have_count(2)
    expect(region(page, "Combined answer")).to_contain_text("All three, in one piece.")
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()
    assert len(combining.endpoint.requests) == asked + 1
    left, right = region(page, "Combined answer").bounding_box(), second.bounding_box()
    assert left is not None and right is not None
    assert left["y"] == right["y"] and left["x"] < right["x"], "side by side"
    expect(page.get_by_text("2 Comparison").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_a_branch_that_is_left_out_is_named_in_the_heading(
    combining: App, open_page: OpenPage
) -> None:
    page = finished(combining, open_page)
    choose(page, "All in a row", "one after another, by a template")
    page.get_by_role("combobox", name="Leave out").click(delay=150)
    page.get_by_role("option", name="B Story").click(delay=150)
    page.keyboard.press("Escape")
    combine(page)
    second = region(page, "Combined answer 2: All answers")
    expect(second).to_contain_text("All answers of 2 of 3: Story left out")


def test_what_is_ready_is_combined_while_a_slow_branch_goes_on(
    combining: App, open_page: OpenPage
) -> None:
    page = open_page(combining.url)
    page.get_by_text("Edit branches").click(delay=150)
    prompts = page.get_by_role("textbox", name="Prompt")
    expect(prompts).to_have_count(3)
    prompts.nth(1).fill('Write about "leisure" as long as you can.')
    prompts.nth(1).press("Tab")
    page.get_by_text("Edit branches").click(delay=150)
    run(page, "remote work")
    expect(region(page, "Poem")).to_contain_text("Done")
    expect(region(page, "Story")).to_contain_text("One word follows")
    page.get_by_text("Combine what is ready").click(delay=150)
    expect(page.get_by_text("Still at work: B Story.")).to_be_visible()
    choose(page, "All in a row", "one after another, by a template")
    combine(page)
    second = region(page, "Combined answer 2: All answers")
    expect(second).to_contain_text("All answers of 2 of 3: Story still writing")
    expect(second).to_contain_text("A pun about a ladder.")
    expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
    expect_growth(page, "Story", 60)
    expect(region(page, "Combined answer")).to_contain_text("Written when the branches are done")
    page.get_by_role("button", name="Stop Story").click()
    expect(region(page, "Combined answer")).to_contain_text("Synthesis of 2 of 3: Story stopped")
    expect(second).to_contain_text("A pun about a ladder.")


def test_a_wrong_variable_is_told_beside_the_prompt_and_nothing_is_lost(
    combining: App, open_page: OpenPage
) -> None:
    page = finished(combining, open_page)
    prompt = page.get_by_role("textbox", name="Combining prompt")
    prompt.fill("Only two sentences about {topics}, from {results}.")
    prompt.press("Tab")
    expect(page.get_by_text("which nothing fills in")).to_be_visible()
    expect(page.get_by_role("button", name="Combine", exact=True)).to_be_disabled()
    expect(prompt).to_have_value("Only two sentences about {topics}, from {results}.")
    prompt.fill("Only two sentences about {topic}, from the texts.")
    prompt.press("Tab")
    expect(page.get_by_text("it does not see what the branches wrote")).to_be_visible()
    combine(page)
    expect(region(page, "Combined answer 2: Synthesis")).to_contain_text("Two of them")


def test_points_are_proposed_ticked_and_added_to(combining: App, open_page: OpenPage) -> None:
    page = finished(combining, open_page)
    choose(page, "Guided synthesis", "you tick the points")
    combine(page, "Propose points and write")
    second = region(page, "Combined answer 2: Guided synthesis")
    expect(second).to_contain_text("Points · done")
    expect(second).to_contain_text("All of the points")
    expect(page.get_by_role("checkbox", name="The kettle")).to_be_checked()
    page.locator("label").filter(has_text="The ladder").click(delay=150)
    expect(page.get_by_role("checkbox", name="The ladder")).not_to_be_checked()
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible()
    own = page.get_by_role("textbox", name="Your own points")
    own.fill("My own point")
    own.press("Tab")
    combine(page, "Write with these points")
    expect(region(page, "Combined answer 3: Guided synthesis")).to_contain_text(
        "Only what was ticked."
    )
    prompt = str(combining.endpoint.requests[-1].prompt)
    assert "- The kettle" in prompt and "- The ladder" not in prompt


@pytest.mark.parametrize(("width", "dark"), [(1360, False), (390, True)])
def test_axe_finds_nothing_serious_with_the_panel_open(
    combining: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = finished(combining, open_page, width=width, dark=dark)
    choose(page, "All in a row", "one after another, by a template")
    table = "| one | two | three | four | five |\n| - | - | - | - | - |\n| a | b | c | d | e |"
    page.get_by_role("textbox", name="Template").fill(f"{table}\n\n{{results}}")
    page.get_by_role("textbox", name="Template").press("Tab")
    combine(page)
    expect(region(page, "Combined answer 2: All answers").locator("td")).to_have_count(5)
    choose(page, "Best of n", "without knowing whose")
    combine(page)
    expect(region(page, "Combined answer 3: Best answer")).to_contain_text("Judge 3")
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert findings(page, sees="How it ran") == []
